// Decodes ISO 8583 with npm's jspos by a field table of its own, independent of ours.
// In: one message in hexadecimal a line. Out: one JSON object a line: field number to text.
const { ISOBasePackager, ISOUtil, packer } = require(process.argv[2]);
const P = packer;
const right = false;
const left = true;
const table = {
  0: new P.IFB_NUMERIC(4, 'type', left),
  1: new P.IFB_BITMAP(8, 'bitmap'),
  2: new P.IFB_LLNUM(19, 'account', right),
  3: new P.IFB_NUMERIC(6, 'processing code', left),
  4: new P.IFB_NUMERIC(12, 'amount', left),
  11: new P.IFB_NUMERIC(6, 'STAN', left),
  12: new P.IFB_NUMERIC(6, 'time', left),
  13: new P.IFB_NUMERIC(4, 'date', left),
  14: new P.IFB_NUMERIC(4, 'expiry', left),
  15: new P.IFB_NUMERIC(4, 'settlement date', left),
  22: new P.IFB_NUMERIC(3, 'entry mode', right),
  23: new P.IFB_NUMERIC(3, 'card sequence', left),
  25: new P.IFB_NUMERIC(2, 'condition', left),
  26: new P.IFB_NUMERIC(2, 'PIN length', left),
  32: new P.IFB_LLNUM(11, 'acquirer', right),
  35: new P.IFB_LLNUM(37, 'track 2', right),
  37: new P.IF_CHAR(12, 'reference'),
  38: new P.IF_CHAR(6, 'authorization'),
  39: new P.IF_CHAR(2, 'response'),
  41: new P.IF_CHAR(8, 'terminal'),
  42: new P.IF_CHAR(15, 'merchant'),
  44: new P.IFB_LLCHAR(25, 'additional response'),
  48: new P.IFB_LLLNUM(322, 'additional data', right),
  49: new P.IF_CHAR(3, 'currency'),
  52: new P.IFB_BINARY(8, 'PIN block'),
  53: new P.IFB_NUMERIC(16, 'security', left),
  60: new P.IFB_LLLNUM(99, 'reserved', right),
  61: new P.IFB_LLLNUM(29, 'original', right),
  62: new P.IFB_LLLBINARY(512, 'keys or token'),
  63: new P.IFB_LLLCHAR(163, 'private'),
  64: new P.IFB_BINARY(8, 'MAC'),
};
class UnionPay extends ISOBasePackager {
  constructor() {
    super();
    this.setFieldPackager(Array.from({ length: 65 }, (_, number) => table[number] || null));
  }
}
const packager = new UnionPay();
const lines = require('fs').readFileSync(0, 'ascii').split('\n').filter(Boolean);
for (const line of lines) {
  const message = packager.createISOMsg();
  message.unpack(ISOUtil.hex2byte(line));
  const found = {};
  for (const [number, field] of Object.entries(message.getChildren())) {
    if (Number(number) < 0 || field == null) continue;
    const value = field.getValue();
    found[number] = Array.isArray(value) ? ISOUtil.hexString(value) : value;
  }
  const again = ISOUtil.hexString(message.pack());
  process.stdout.write(JSON.stringify({ fields: found, again }) + '\n');
}
