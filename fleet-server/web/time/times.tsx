/** Times that count on by themselves, with the exact time in the title. */
import { useNow } from './now.ts';
import { durationWords, exactWords, relativeWords } from './words.ts';

export function Ago({ at }: { readonly at: string }) {
  const nowMs = useNow();
  return (
    <time className="figure" dateTime={at} title={exactWords(at)}>
      {relativeWords(Date.parse(at), nowMs)}
    </time>
  );
}

export function For({ since }: { readonly since: string }) {
  const nowMs = useNow();
  return (
    <time className="figure" dateTime={since} title={`Since ${exactWords(since)}`}>
      {durationWords(nowMs - Date.parse(since))}
    </time>
  );
}
