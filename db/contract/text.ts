import * as z from "zod";

/**
 * Text that Postgres can store and JSON can carry: no NUL, no half of a surrogate pair. `max` counts characters, not
 * UTF-16 units.
 */
export function text(max: number) {
  return z
    .string()
    .refine((value) => isText(value, max), `1 to ${max} characters, none of them NUL`)
    .meta({ minLength: 1, maxLength: max });
}

function isText(value: string, max: number): boolean {
  if (value.length === 0 || value.length > max * 2) return false;
  return isStorable(value) && [...value].length <= max;
}

/** Can Postgres store it, whatever its length? */
export function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes("\0");
}
