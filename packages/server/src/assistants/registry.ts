import { existsSync } from 'node:fs';
import type { Assistant } from './assistant.ts';
import { createEcho } from './echo.ts';
import { createGuide, type GuideLog } from './guide/guide.ts';
import { AssistantLoadError } from './load-error.ts';
import { isModulePath, loadOwnModule } from './own-module.ts';
import { createScripted } from './scripted.ts';

export { AssistantLoadError } from './load-error.ts';

/** Where and for whom an assistant is loaded. */
export interface AssistantSurroundings {
  /** Relative module paths start here: the folder in which the server was started. */
  readonly cwd: string;
  readonly environment: 'development' | 'production';
  /** The guide's folder; the product's own documentation where it is undefined. */
  readonly knowledgeDir?: string | undefined;
  readonly log?: GuideLog | undefined;
}

const KNOWN = ['guide', 'echo', 'none', 'external'];

/** What ASSISTANT and KNOWLEDGE_DIR name and is not there, a sentence each; a look only, nothing is loaded. */
export function missingForAssistant(variables: Readonly<Record<string, string | undefined>>): string[] {
  const { ASSISTANT: name, KNOWLEDGE_DIR: folder } = variables;
  const isUnknown = name && !KNOWN.includes(name) && name !== 'scripted' && !isModulePath(name);
  return [
    ...(isUnknown ? [unknownAssistant(name)] : []),
    ...(folder && !existsSync(folder) ? [`KNOWLEDGE_DIR=${folder}: there is no such folder`] : []),
  ];
}

function unknownAssistant(name: string): string {
  return `ASSISTANT=${name}: there is no such assistant; take one of ${KNOWN.join(', ')}, or the path of a module of your own such as ./my-assistant.ts`;
}

/**
 * The assistant that `ASSISTANT` names; null for `none` and `external`, where no assistant runs in this process.
 * @throws {AssistantLoadError} with one sentence on what to mend.
 */
export async function loadAssistant(name: string, surroundings: AssistantSurroundings): Promise<Assistant | null> {
  switch (name) {
    case 'none':
    case 'external':
      return null;
    case 'echo':
      return createEcho();
    case 'guide':
      return createGuide({ folder: surroundings.knowledgeDir, log: surroundings.log });
    case 'scripted':
      if (surroundings.environment === 'production') {
        throw new AssistantLoadError('ASSISTANT=scripted: this one is for tests and does not run in production.');
      }
      return createScripted();
    default:
      if (isModulePath(name)) return loadOwnModule(name, surroundings.cwd);
      throw new AssistantLoadError(`${unknownAssistant(name)}.`);
  }
}
