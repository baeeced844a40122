// uWebSockets.js as its own examples broadcast: one topic, every text to all.
const app = require("uwebsockets").App();
app.ws("/*", {
  idleTimeout: 0,
  maxBackpressure: 64 * 1024 * 1024, // what it cannot write yet it keeps: dropping would not be delivering
  open: (socket) => socket.subscribe("b"),
  message: (socket, text) => app.publish("b", text, false),
});
app.listen("127.0.0.1", Number(process.argv[2]), (listening) => listening || process.exit(1));
