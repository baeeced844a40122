// The least that taking a file costs: receive, hash (SHA-256, by the library that Python's hashlib calls), write, sync.
//
//   ingest PORT PATH CHUNK_BYTES
//
// One connection at a time, in one thread, by one buffer; the digest is the answer. What it uses of its core is the limit
// for whoever promises the same. (`ingest.py`)
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(int well, const char *what) {
  if (well) return;
  perror(what);
  exit(1);
}

int main(int count, char **words) {
  must(count == 4, "usage: ingest PORT PATH CHUNK_BYTES");
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  size_t chunk = strtoul(words[3], NULL, 10);
  char *buffer = malloc(chunk);
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  must(!bind(listener, (struct sockaddr *)&at, sizeof at) && !listen(listener, 8), "listen");
  for (;;) {
    int from = accept(listener, NULL, NULL), to = open(words[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(from >= 0 && to >= 0, "open");
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    for (ssize_t came; (came = recv(from, buffer, chunk, 0)) > 0;) {
      EVP_DigestUpdate(hash, buffer, came);
      for (ssize_t done = 0, n; done < came; done += n) must((n = write(to, buffer + done, came - done)) > 0, "write");
    }
    must(!fdatasync(to), "fdatasync");
    unsigned char digest[32];
    EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    must(send(from, digest, sizeof digest, 0) == sizeof digest, "send");
    close(to);
    close(from);
  }
}
