/** A phrase as one writes it down: numbered words, four a line. Pure. */
export function phraseText(phrase: string): string {
  const words = phrase.split(' ').map((word, at) => `${String(at + 1).padStart(4)}. ${word.padEnd(10)}`);
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += 4)
    lines.push(
      words
        .slice(at, at + 4)
        .join('')
        .trimEnd(),
    );
  return lines.join('\n');
}
