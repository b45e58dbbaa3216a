import type { Finding, Topic } from './search.ts';

const NO_MODEL = 'no language model is configured here';
const HOW_TO_ADD_ONE =
  'start the server with `ASSISTANT=./my-model.mjs`; [Add a language model](docs/assistants.md#add-a-language-model) shows all of that file.';
const ABOUT_MODELS = `I am a search in the documentation: ${NO_MODEL}. To add one, ${HOW_TO_ADD_ONE}`;

/** The answer's text. The first of a conversation also says how to get more than a search. */
export function answerText(finding: Finding, first: boolean): string {
  if (!finding.asked) return introduction(finding.topics);
  if (finding.quotes.length === 0) return nothingFound(finding);
  const parts = ['From a search in the documentation:'];
  for (const { text, link } of finding.quotes) parts.push(text, link);
  if (finding.more.length > 0) parts.push(`See also: ${finding.more.join(' · ')}`);
  if (first) parts.push(ABOUT_MODELS);
  return parts.join('\n\n');
}

function introduction(topics: readonly Topic[]): string {
  const parts = [`Hello! I am a search in the documentation and answer with quotes and links; ${NO_MODEL}.`];
  parts.push(...topicList('Ask me about one of these, for example:', topics), `To add a model, ${HOW_TO_ADD_ONE}`);
  return parts.join('\n\n');
}

function nothingFound({ words, topics }: Finding): string {
  const looked = words.map((word) => `\`${word}\``).join(', ');
  const parts = [`I found nothing about this in the documentation. I looked for ${looked}.`];
  parts.push(...topicList('It has pages on:', topics), ABOUT_MODELS);
  return parts.join('\n\n');
}

function topicList(lead: string, topics: readonly Topic[]): string[] {
  if (topics.length === 0) return ['The documentation folder has no pages yet.'];
  const rows = topics.map(({ link, headings }) => `- ${link}${headings.length > 0 ? `: ${headings.join(' · ')}` : ''}`);
  return [lead, rows.join('\n')];
}
