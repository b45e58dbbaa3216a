/** Words that say nothing about what is looked for, by language. English and one other apply to a question at most. */
const EMPTY_WORDS = {
  en: `a about after again all also am an and any anybody anyone anything are as at be because been before being best but
    by can cannot could describe did do does doing don done each else ever exactly explain few first for from get gets getting
    give go goes going good got great had happen happened happening happens has have having he hello help her here hey hi
    him his how however i if in into is it its itself just kindly know let like ll look make makes making many may maybe me
    mean means might more most much must my need needs new no not now of off ok okay on one only or other our out over own
    please possible properly question really s same say see shall she should show so some somebody someone something
    still such sure t tell than thank thanks that the their them then there these they thing things this those through to
    too try trying up us use used using ve very want wants was way ways we well were what whats when where whether which
    while who whom whose why will with within without won work works would yes yet you your yours`,
  de: `ab aber alle als also am an auch auf aus bei beim bin bis bitte brauche da dadurch dafür dann das dass dem den denn
    der des die dies diese dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas für geht gibt
    hallo hast hat hier ich ihr im in ist ja kann kannst kein keine können könnte machen mache mal man mein meine mich mir
    mit möchte muss nach nicht noch nur ob oder ohne passiert sehr sein sich sie sind so soll sollte über um und uns unser
    vom von vor wann warum was welche welcher wenn wer werde werden wie wieso wird wo worum wozu zu zum zur`,
  es: `al algo como cómo con cual cuál cuando cuándo de del donde dónde el ella en eres es esta está este esto hacer hago
    hay hola la las lo los me mi mis muy no o para pasa pero por porque puede puedo qué que quien quién se ser si sí sin
    sobre su sus te tengo tu un una uno y ya yo`,
  fr: `à au aux avec bonjour ce ces cette comment dans de des du elle en est et être eu faire fais il ils je la le les leur
    lui ma mais me mes moi mon ne nous on ou où par pas passe peut peux pour pourquoi quand que quel quelle qui quoi sa
    salut sans se ses si son sont sur ta te tu un une vous y`,
};

type Language = keyof typeof EMPTY_WORDS;

const EMPTY = Object.fromEntries(
  Object.entries(EMPTY_WORDS).map(([language, words]) => [language, new Set(words.split(/\s+/))]),
) as Record<Language, Set<string>>;

/** The empty words for a question: English ones, and those of the other language that most of its words belong to. */
export function emptyWordsFor(words: readonly string[]): (word: string) => boolean {
  const score = (language: Language) => words.filter((word) => EMPTY[language].has(word)).length;
  let best: Language = 'en';
  for (const language of ['de', 'es', 'fr'] as const) if (score(language) > score(best)) best = language;
  return (word) => EMPTY[best].has(word) || (EMPTY.en.has(word) && best !== 'en');
}

/**
 * Words for the same thing, so that a newcomer's word meets the documentation's. The German, Spanish and French ones
 * let a question in those languages find the English pages.
 */
const RELATED = `
  connect connection socket websocket connecting verbinden verbinde verbindung conectar conecto conexión connecter connecte connexion
  disconnect offline reconnect trennen desconectar déconnecter
  install installation setup start run launch begin quickstart installieren starten starte instalar iniciar installer démarrer lancer
  message chat text send sending nachricht nachrichten senden schicken mensaje mensajes enviar envoyer messages
  conversation room channel thread unterhaltung gespräch raum conversación sala salon
  join enter subscribe beitreten betreten unirse rejoindre
  leave exit unsubscribe verlassen salir quitter
  login signin sign authenticate authentication auth token password anmelden anmeldung passwort contraseña sesión connexion mot
  register signup account user registrieren konto benutzer nutzer cuenta usuario compte utilisateur
  logout signout abmelden
  error failure fail fails failed problem code fehler problem error fallo erreur
  fail fails failed throw throws thrown exception rejects
  fast speed quick performance throughput latency slow benchmark benchmarks measurement measurements schnell langsam rápido vite rapide
  limit limits rate quota maximum max size throttle grenze grenzen límite limite
  crash crashes killed kill dies die restart restarts power outage lost lose loses guarantee durable survive abgestürzt absturz stürzt verloren verlieren garantie perder pierde perdu perdre
  duplicate duplicates twice double doubled repeat idempotency idempotent doppelt
  order ordering sequence seq reihenfolge orden ordre
  assistant model llm ai bot gpt openai chatgpt claude modell assistent ki asistente modelo ia modèle
  stream streaming token tokens delta deltas
  config configuration configure setting settings variable environment option einstellung einstellungen konfiguration konfigurieren configuración configurar paramètres configurer
  database sqlite mongodb storage store stored data datenbank speichern daten base datos données
  deploy deployment docker production host hosting container bereitstellen desplegar despliegue déployer déploiement
  cluster scale scaling nodes redis several
  capacity carry handle load people users
  stop cancel abort interrupt
  backup restore save sicherung sichern copia sauvegarde
  monitor monitoring metrics prometheus grafana logs logging trace
  worker external task tasks aufgabe
  history messages older past catch sync resume missed verlauf historial historique
  delete remove löschen eliminar supprimer
  member members invite invitation people person share mitglied einladen miembro invitar membre inviter
  secure security safe attack vulnerability sicherheit sicher seguridad sécurité
  licence license lizenz licencia
  test page try browser testen prueba
  rest http api endpoint curl request route
  port listen address
  python javascript typescript client library sdk`;

const RELATED_BY_WORD = new Map<string, Set<string>>();
for (const row of RELATED.trim().split('\n')) {
  const group = row.trim().split(/\s+/);
  for (const word of group) {
    const known = RELATED_BY_WORD.get(word) ?? new Set();
    for (const other of group) if (other !== word) known.add(other);
    RELATED_BY_WORD.set(word, known);
  }
}

/** Other words for what `word` may mean. */
export function relatedWords(word: string): readonly string[] {
  return [...(RELATED_BY_WORD.get(word) ?? [])];
}
