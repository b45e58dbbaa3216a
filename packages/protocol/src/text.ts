import { z } from 'zod';

const visible = /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** Counts code points, the unit of every limit on text: an emoji is one, where `length` says two. */
export function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff && index + 1 < text.length) index += 1;
    count += 1;
  }
  return count;
}

/** Text of well-formed Unicode, stored and returned unchanged. */
export const wellFormedText = z
  .string()
  .refine((text) => text.isWellFormed(), { message: 'must be well-formed Unicode (half a surrogate pair found)' });

/** What a person says: well-formed, with at least one character that can be seen. Its length is a setting. */
export const messageText = wellFormedText.refine((text) => visible.test(text), {
  message: 'must have at least one visible character',
});

/** A short line such as a title or a name: one visible character at least, `max` code points at most, no control characters. */
export function line(max: number) {
  return messageText
    .refine((text) => codePoints(text) <= max, { message: `must have at most ${max} characters` })
    .refine((text) => !/\p{Cc}/u.test(text), { message: 'must not have control characters' });
}

/** An id as the server makes them and as clients may make theirs: 1 to 128 of `A-Z a-z 0-9 _ - . :`. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be 1 to 128 letters, digits or _ - . :');
