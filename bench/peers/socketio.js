// socket.io as its own tutorial broadcasts: what one emits is emitted to all.
const http = require("node:http").createServer();
const { Server } = require("socket.io");
const io = new Server(http, {
  transports: ["websocket"],
  pingInterval: 600_000, // the load answers no heartbeat
});
io.on("connection", (socket) => socket.on("b", (text) => io.emit("b", text)));
http.listen(Number(process.argv[2]), "127.0.0.1");
