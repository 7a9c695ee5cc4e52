// A terminal by other people: npm's mqtt. node mqtt_terminal.js LIBRARY PORT CA PAIR TID STORE
// Asks once, waits for the answer, tries what it may not, and says in one JSON line what it saw.
"use strict";
const fs = require("fs");
const [library, port, ca, pair, tid, store] = process.argv.slice(2);
const mqtt = require(library);

const branch = `tw1/${store}/t/${tid}`;
const seen = {};
const client = mqtt.connect({
  host: "localhost", port: Number(port), protocol: "mqtts", protocolVersion: 5, clientId: tid,
  ca: fs.readFileSync(ca), cert: fs.readFileSync(pair), key: fs.readFileSync(pair),
  reconnectPeriod: 0, properties: { receiveMaximum: 8, sessionExpiryInterval: 5 },
});

function code(error, packet) {
  return error ? error.code ?? error.message : packet?.reasonCode ?? 0;
}

client.on("error", (error) => { console.error(error.message); process.exit(1); });
client.on("connect", (connack) => {
  seen.receiveMaximum = connack.properties?.receiveMaximum ?? null;
  client.subscribe(`${branch}/res`, { qos: 1 }, (refused, granted) => {
    seen.granted = refused ? refused.message : granted[0].qos;
    client.publish(`${branch}/req`, "signed", {
      qos: 1,
      properties: { responseTopic: `${branch}/res`, correlationData: Buffer.from("c-1") },
    }, (error, packet) => { seen.puback = code(error, packet); });
  });
});
client.on("message", (topic, payload, packet) => {
  seen.answer = payload.toString();
  seen.correlation = packet.properties?.correlationData?.toString() ?? null;
  client.publish(`tw1/${store}/t/till-9/req`, "another's", { qos: 1 }, (error, puback) => {
    seen.forbidden = code(error, puback);
    client.end(false, {}, () => { console.log(JSON.stringify(seen)); });
  });
});
