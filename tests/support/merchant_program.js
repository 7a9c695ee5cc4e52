// A merchant's program on npm's wechatpay-axios-plugin, unmodified. In: the library's place and the
// keys' directory, then one order a line on stdin. Out: a line of JSON for each.
const { readFileSync } = require('fs');
const { join } = require('path');
const { Aes, Formatter, Hash, Rsa, Transformer, Wechatpay } = require(process.argv[2]);
const keys = process.argv[3];
const own = JSON.parse(readFileSync(join(keys, 'merchant.json')));
const privateKey = readFileSync(join(keys, 'apiclient_key.pem'));
const certs = {
  [own.platform_serial_no]: readFileSync(join(keys, 'platform_cert.pem')),
  [own.public_key_id]: readFileSync(join(keys, 'pub_key.pem')),
};
const wxpay = new Wechatpay({
  baseURL: `${own.url}/`, mchid: own.mchid, serial: own.serial_no, privateKey, certs,
  secret: own.api_v2_key,
  merchant: { cert: readFileSync(join(keys, 'apiclient_cert.pem')), key: privateKey },
});

const orders = {
  // A call of the interface: {path, verb, args}.
  async call({ path, verb, args }) {
    try {
      const { status, data } = await wxpay.chain(path)[verb](...args);
      return { status, data };
    } catch (error) {
      if (!error.response) throw error;
      return { status: error.response.status, data: error.response.data };
    }
  },
  // A callback, checked and opened: {headers, body}.
  async open({ headers, body }) {
    const key = certs[headers['Wechatpay-Serial']];
    const message = Formatter.response(
      headers['Wechatpay-Timestamp'], headers['Wechatpay-Nonce'], body);
    if (!Rsa.verify(message, headers['Wechatpay-Signature'], key)) throw new Error('not signed');
    const { event_type, resource } = JSON.parse(body);
    const plain = Aes.AesGcm.decrypt(
      resource.ciphertext, own.api_v3_key, resource.nonce, resource.associated_data);
    return { event_type, resource: JSON.parse(plain) };
  },
  // A notice by XML, checked: {body}.
  async notice({ body }) {
    const fields = Transformer.toObject(body);
    const sign = Hash.sign(fields.sign_type || Hash.ALGO_MD5, fields, own.api_v2_key);
    if (!Hash.equals(sign, fields.sign)) throw new Error('not signed');
    return fields;
  },
  // What a page hands the payer's app: {lines}.
  async sign({ lines }) {
    return Rsa.sign(Formatter.joinedByLineFeed(...lines), privateKey);
  },
};

(async () => {
  for await (const line of require('readline').createInterface({ input: process.stdin })) {
    const { order, ...words } = JSON.parse(line);
    const answer = await orders[order](words).catch((error) => ({ bug: String(error.stack) }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();
