// A central system of npm's ocpp-rpc in strict mode, for one charger's session of either version.
// argv: the library's folder. Prints JSON lines: {"port"}, then {"done", "calls", "complaints"}.
const { RPCServer } = require(process.argv[2]);

const calls = [];
const complaints = [];
const server = new RPCServer({ protocols: ["ocpp1.6", "ocpp2.0.1"], strictMode: true });
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

function answer(method, params) {
  const currentTime = new Date().toISOString();
  switch (method) {
    case "BootNotification": return { status: "Accepted", interval: 60, currentTime };
    case "Heartbeat": return { currentTime };
    case "Authorize": return params.idTag
      ? { idTagInfo: { status: "Accepted" } } : { idTokenInfo: { status: "Accepted" } };
    case "StartTransaction": return { transactionId: 9, idTagInfo: { status: "Accepted" } };
    default: return {};
  }
}

async function ask(client) {
  if (client.protocol === "ocpp1.6") {
    await client.call("GetConfiguration", {});
    await client.call("TriggerMessage", { requestedMessage: "MeterValues", connectorId: 1 });
    return client.call("RemoteStopTransaction", { transactionId: 9 });
  }
  await client.call("GetBaseReport", { requestId: 1, reportBase: "FullInventory" });
  const started = calls.find((call) => call.method === "TransactionEvent").params;
  const transactionId = started.transactionInfo.transactionId;
  return client.call("RequestStopTransaction", { transactionId });
}

server.auth((accept) => accept());
server.on("client", (client) => {
  client.on("strictValidationFailure", (event) => complaints.push(String(event.error)));
  client.on("badMessage", (event) => complaints.push(String(event.error)));
  client.handle(({ method, params }) => {
    calls.push({ method, params });
    const begun = method === "StartTransaction" || params.eventType === "Started";
    const ended = method === "StopTransaction" || params.eventType === "Ended";
    if (begun) setTimeout(() => ask(client).catch((error) => complaints.push(String(error))), 0);
    if (ended) setTimeout(() => {
      say({ done: true, calls: calls.map((call) => call.method), complaints });
      process.exit(0);
    }, 50);
    return answer(method, params);
  });
});
server.listen(0, "127.0.0.1").then((listener) => say({ port: listener.address().port }));
