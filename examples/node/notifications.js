// The registry's wire format in, a notification out: a zero byte, the schema's id in four, Avro.

import avro from "avsc";

const FRAME_BYTES = 5;
const PATIENCE_MS = 10_000;

// A number that JavaScript can't hold to its last digit becomes a BigInt.
const narrow = (long) => (Number.isSafeInteger(Number(long)) ? Number(long) : long);
const isLong = (value) => typeof value === "bigint" || Number.isInteger(value);
const long = avro.types.LongType.__with({
  fromBuffer: (buffer) => narrow(buffer.readBigInt64LE()),
  toBuffer: (value) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer;
  },
  fromJSON: (value) => narrow(BigInt(value)),
  toJSON: String,
  isValid: isLong,
  compare: (one, other) => Number(one > other) - Number(one < other),
});

/** Returns what decodes a record's value; it asks the registry once for each schema. */
export function decoder(registryUrl) {
  const schemas = new Map();

  async function ask(id) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`${registryUrl}/schemas/ids/${id}`, { signal }).catch((cause) => {
      throw new Error(`schema ${id}: ${registryUrl} does not answer`, { cause });
    });
    if (!answer.ok) {
      throw new Error(`schema ${id}: the registry answered ${answer.status}`);
    }
    const { schema } = await answer.json();
    return avro.Type.forSchema(JSON.parse(schema), {
      typeHook: (type) => ((type.type ?? type) === "long" ? long : undefined),
    });
  }

  return async function decode(value) {
    if (value.length < FRAME_BYTES || value[0] !== 0) {
      throw new Error("not in the registry's wire format");
    }
    const id = value.readInt32BE(1);
    if (!schemas.has(id)) {
      schemas.set(id, await ask(id));
    }
    return schemas.get(id).fromBuffer(value.subarray(FRAME_BYTES));
  };
}
