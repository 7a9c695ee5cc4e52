// A device of npm's coap at the hub's CoAP door: reads, asks, listens, sends a body in blocks.
// argv: the library's folder, port, device, hello (hex), large body (hex), notifications to wait for.
// Says on stderr when it listens, and what it saw in one JSON line.
"use strict";
const dgram = require("dgram");
const coap = require(process.argv[2]);
const [port, device, hello, large, wanted] = process.argv.slice(3);
const socket = dgram.createSocket("udp4"); // its own: else the port changes with every request
const agent = new coap.Agent({ socket });

const ask = (options, body) => new Promise((done, fail) => {
  const request = coap.request({ host: "127.0.0.1", port: Number(port), agent, ...options });
  if (body) request.setOption("Content-Format", 18);
  if (options.block) request.setOption("Block1", Buffer.of(options.block));
  request.on("response", done);
  request.on("error", fail);
  request.end(body);
});
const said = (response) => ({ code: response.code, body: response.payload.toString("hex") });

async function session() {
  const state = said(await ask({ pathname: "/p1/hub/state" }));
  const post = { method: "POST", pathname: "/p1/req" };
  const pong = said(await ask(post, Buffer.from(hello, "hex")));
  const heard = [];
  const listening = await ask({ pathname: `/p1/t/${device}/cmd`, observe: true });
  const first = listening.code;
  listening.on("data", (chunk) => { if (chunk.length) heard.push(chunk.toString("hex")); });
  process.stderr.write("listening\n");
  while (heard.length < Number(wanted)) await new Promise((done) => setTimeout(done, 20));
  const blocks = said(await ask({ ...post, block: 0x06 }, Buffer.from(large, "hex")));
  return { state, pong, first, heard, blocks };
}

session().then((found) => {
  process.stdout.write(JSON.stringify(found) + "\n", () => process.exit(0));
}).catch((error) => {
  process.stdout.write(JSON.stringify({ error: String(error) }) + "\n", () => process.exit(1));
});
