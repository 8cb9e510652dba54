/** What answers are made of. */
import Type, { type TProperties, type TSchema } from "typebox";

export const maybe = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Hash = Type.String({ pattern: "^0x[0-9a-f]{64}$" });
export const Address = Type.String({ pattern: "^0x[0-9a-fA-F]{40}$" });
export const Time = Type.String({ format: "date-time" });
export const Wei = Type.String({ pattern: "^[0-9]+$" });
export const Url = Type.String();
const Decimal = Type.Number();

/** An amount is two fields: the decimal, and the exact wei. */
export function money<K extends string>(...names: K[]): Record<K, typeof Decimal> & Record<`${K}_wei`, typeof Wei> {
  return Object.fromEntries(
    names.flatMap((name) => [
      [name, Decimal],
      [`${name}_wei`, Wei],
    ]),
  ) as never;
}
export function optional<P extends TProperties>(
  properties: P,
): { [K in keyof P]: ReturnType<typeof Type.Optional<P[K]>> } {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)])) as never;
}
