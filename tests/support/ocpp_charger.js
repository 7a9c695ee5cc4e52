// A charger of npm's ocpp-rpc in strict mode: one session of either version at a central system.
// argv: the library's folder, endpoint, protocol, identity, password. Prints one JSON line.
const { RPCClient } = require(process.argv[2]);
const [endpoint, protocol, identity, password] = process.argv.slice(3);
const complaints = [];
const asked = [];
const now = () => new Date().toISOString();
const client = new RPCClient({
  endpoint, identity, password, protocols: [protocol], strictMode: true, reconnect: false,
});
client.on("strictValidationFailure", (event) => complaints.push(String(event.error)));
client.on("badMessage", (event) => complaints.push(String(event.error)));
client.handle(({ method, params }) => {
  asked.push(method);
  if (method === "DataTransfer") return { status: "Accepted", data: params.data };
  if (method === "SetVariables") {
    const [{ component, variable }] = params.setVariableData;
    return { setVariableResult: [{ component, variable, attributeStatus: "Accepted" }] };
  }
  return method === "CostUpdated" ? {} : { status: "Accepted" };
});

async function session16() {
  const boot = await client.call("BootNotification", {
    chargePointVendor: "Tillway", chargePointModel: "AC22",
  });
  const card = await client.call("Authorize", { idTag: "CARD-1" });
  const start = { connectorId: 1, idTag: "CARD-1", meterStart: 1000, timestamp: now() };
  const begun = await client.call("StartTransaction", start);
  const again = await client.call("StartTransaction", start);
  const { transactionId } = begun;
  const read = (value) => client.call("MeterValues", {
    connectorId: 1, transactionId,
    meterValue: [{ timestamp: now(), sampledValue: [{ value, unit: "Wh" }] }],
  });
  await read("3000");
  await read("2000");
  // What a charger that was never told to leave its readings out says after ten hours.
  const reading = { value: "1000", context: "Sample.Periodic", location: "Outlet", unit: "Wh" };
  const transactionData = Array.from({ length: 3600 }, () => (
    { timestamp: now(), sampledValue: [reading] }));
  const stop = { transactionId, meterStop: 5000, timestamp: now(), reason: "EVDisconnected",
    transactionData };
  await client.call("StopTransaction", stop);
  await client.call("StopTransaction", stop);
  return { boot: boot.status, card: card.idTagInfo.status,
    is_same: again.transactionId === transactionId };
}

async function session201() {
  const boot = await client.call("BootNotification", {
    reason: "PowerUp", chargingStation: { vendorName: "Tillway", model: "AC22" },
  });
  const idToken = { idToken: "CARD-1", type: "ISO14443" };
  const card = await client.call("Authorize", { idToken });
  let seqNo = 0;
  const event = (eventType, triggerReason, value, more) => client.call("TransactionEvent", {
    eventType, triggerReason, timestamp: now(), seqNo: seqNo++,
    transactionInfo: { transactionId: "tx-1", ...(more || {}) },
    evse: { id: 1, connectorId: 1 }, ...(eventType === "Started" ? { idToken } : {}),
    meterValue: [{ timestamp: now(), sampledValue: [
      { value, unitOfMeasure: { unit: "kWh" } }] }],
  });
  await event("Started", "Authorized", 1);
  const told = await event("Updated", "MeterValuePeriodic", 3);
  const ended = await event("Ended", "EVDeparted", 5, { stoppedReason: "EVDisconnected" });
  await event("Ended", "EVDeparted", 5, { stoppedReason: "EVDisconnected" });
  return { boot: boot.status, card: card.idTokenInfo.status,
    cost: told.totalCost, end_cost: ended.totalCost };
}

client.connect().then(protocol === "ocpp1.6" ? session16 : session201).then(async (found) => {
  await new Promise((done) => setTimeout(done, 100));
  await client.close();
  process.stdout.write(JSON.stringify({ ...found, asked, complaints }) + "\n");
}).catch((error) => {
  process.stdout.write(JSON.stringify({ error: String(error), complaints }) + "\n");
  process.exit(1);
});
