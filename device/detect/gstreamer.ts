/** Reads what `gst-inspect-1.0` prints. Pure. */
import type { EncoderProperty, EncoderPropertyKind } from '#device/detect/facts.ts';

/** Names of all elements in the list that `gst-inspect-1.0` gives without an argument: "x264:  x264enc: x264 H.264 Encoder". */
export function parseElements(output: string): ReadonlySet<string> {
  const names = [...output.matchAll(/^\S[^:]*: {2}([A-Za-z][A-Za-z0-9_-]*): /gm)].map((match) => match[1] ?? '');
  return new Set(names);
}

/** An element that turns raw pictures into H.264, told by its name. */
export function isH264Encoder(element: string): boolean {
  return /264[a-z0-9]*enc$/.test(element);
}

/** "gst-inspect-1.0 version 1.22.0" */
export function parseVersion(output: string): string | null {
  return /^gst-inspect-1\.0 version (\S+)/m.exec(output)?.[1] ?? null;
}

/** The properties in `gst-inspect-1.0 ELEMENT`. */
export function parseProperties(output: string): readonly EncoderProperty[] {
  const start = output.indexOf('\nElement Properties:');
  if (start === -1) return [];
  const [, ...lines] = output.slice(start + 1).split('\n');
  const blocks: { name: string; lines: string[] }[] = [];
  for (const line of lines) {
    // A line at the very left opens the next section.
    if (/^\S/.test(line)) break;
    const name = /^ {2}([a-z][A-Za-z0-9_-]*) *: /.exec(line)?.[1];
    if (name !== undefined) blocks.push({ name, lines: [] });
    else blocks.at(-1)?.lines.push(line);
  }
  return blocks.map((block) => readProperty(block.name, block.lines));
}

function readProperty(name: string, lines: readonly string[]): EncoderProperty {
  const flags = lines.find((line) => line.trimStart().startsWith('flags:')) ?? '';
  const type = lines.find((line) => kindOf(line) !== null) ?? '';
  const kind = kindOf(type) ?? 'other';
  const range = /Range:\s*(-?[\d.e+-]+) - \s*(-?[\d.e+-]+)/i.exec(type);
  const choices =
    kind === 'enum' || kind === 'flags' ? lines.flatMap((line) => /^\s+\((?:-?\d+|0x[0-9a-f]+)\): (\S+)/.exec(line)?.[1] ?? []) : [];
  return {
    name,
    kind,
    writable: /\bwritable\b/.test(flags),
    live: /\bPLAYING\b/.test(flags),
    minimum: range?.[1] === undefined ? null : Number(range[1]),
    maximum: range?.[2] === undefined ? null : Number(range[2]),
    choices,
  };
}

function kindOf(line: string): EncoderPropertyKind | null {
  const text = line.trimStart();
  if (/^(?:Unsigned )?(?:Integer|Long)(?:64)?\./.test(text)) return 'integer';
  if (/^(?:Float|Double)\./.test(text)) return 'number';
  if (text.startsWith('Boolean.')) return 'boolean';
  if (text.startsWith('Enum "')) return 'enum';
  if (text.startsWith('Flags "')) return 'flags';
  if (text.startsWith('String.')) return 'string';
  return null;
}
