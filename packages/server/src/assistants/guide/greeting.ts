const GREETING =
  /^(?:(?:hello|hi|hiya|hey|howdy|greetings|hallo|moin|servus|hola|bonjour|salut|ciao|(?:good|guten?|buen[oa]s) (?:morning|afternoon|evening|day|morgen|tag|abend|d[ií]as|tardes|noches))(?: |$))+/u;
const ADDRESSED =
  /^(?:(?:there|again|all|everybody|everyone|folks|friends?|team|world|my|dear|bot|chatbot|assistant|guide|server|tertulia)(?: |$))+/u;
/** As the examples for clients send it: "Hello from Python!". */
const SENT_FROM = /^(?:from|von|desde|depuis) \S+(?: \S+)?$/u;
/** As the first message of somebody who tries a client. Anything else that is asked with these words is a question. */
const TRIAL = /^(?:(?:this|is|a|just|only|my|first|another|message|testing|test|ping|one|two|three|\d+)(?: |$))+$/u;

/** Whether these words begin as a greeting does. */
export function greets(words: readonly string[]): boolean {
  return GREETING.test(words.join(' '));
}

/** What is said besides the greeting; nothing where all is a greeting, or a message to try whether messages arrive. */
export function withoutGreeting(words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  const greeting = GREETING.exec(text)?.[0];
  const rest = greeting === undefined ? text : text.slice(greeting.length).replace(ADDRESSED, '');
  const isTrial = /\b(?:test|testing|ping)\b/.test(rest) && TRIAL.test(rest);
  if (rest === '' || isTrial || (greeting !== undefined && SENT_FROM.test(rest))) return [];
  return rest.split(' ');
}
