import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { Instruction } from './parse-dockerfile.ts';

/** What a Dockerfile makes, as folders of this machine: `/data` of the image is `<root>/data` here. */
export interface Stage {
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
  user: string;
  healthcheck: string[];
  command: string[];
}

/** Where the build's files come from, and the variables and owner that stand in for the base image's. */
export interface BuildContext {
  readonly folder: string;
  readonly ignores: (path: string) => boolean;
  /** Variables of this machine that RUN needs, PATH above all. */
  readonly env: NodeJS.ProcessEnv;
  /** The uid that stands in for the user `node` of the base image; null where this process may not change owners. */
  readonly nodeUid: number | null;
}

/** Performs the instructions below `folder`, which must be empty, and answers the last stage. */
export function performDockerfile(instructions: readonly Instruction[], folder: string, context: BuildContext): Stage {
  const stages = new Map<string, Stage>();
  let stage: Stage | null = null;
  for (const { keyword, text } of instructions) {
    console.log(`${keyword} ${text}`);
    if (keyword === 'FROM') {
      stage = startStage(join(folder, String(stages.size)));
      stages.set(/ AS (\S+)$/i.exec(text)?.[1] ?? String(stages.size), stage);
    } else if (stage === null) {
      throw new Error('a Dockerfile starts with FROM');
    } else if (keyword === 'COPY') {
      copy(text, stage, stages, context);
    } else if (keyword === 'RUN') {
      run(text, stage, context);
    } else {
      configure(keyword, text, stage);
    }
  }
  if (stage === null) throw new Error('the Dockerfile has no instructions');
  return stage;
}

function startStage(root: string): Stage {
  mkdirSync(root, { recursive: true });
  return { root, env: {}, workdir: '/', user: 'root', healthcheck: [], command: [] };
}

function configure(keyword: string, text: string, stage: Stage): void {
  switch (keyword) {
    case 'ENV':
      for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = inStage(stage, value);
      break;
    case 'WORKDIR':
      stage.workdir = resolve(stage.workdir, text);
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
      break;
    case 'USER':
      stage.user = text;
      break;
    case 'HEALTHCHECK':
      stage.healthcheck = execForm(text.slice(text.indexOf('CMD') + 3));
      break;
    case 'CMD':
      stage.command = execForm(text);
      break;
    case 'EXPOSE':
    case 'VOLUME':
      // Nothing to do for one process on this machine.
      break;
    default:
      throw new Error(`scripts/docker does not know ${keyword}: teach it, so that the Dockerfile stays tested`);
  }
}

function execForm(text: string): string[] {
  return JSON.parse(text) as string[];
}

/** An absolute path of the image as a path of this machine. */
function inStage(stage: Stage, value: string): string {
  return value.startsWith('/') ? join(stage.root, value) : value;
}

function run(text: string, stage: Stage, { env, nodeUid }: BuildContext): void {
  const owner = nodeUid === null ? '' : ` -o ${nodeUid} -g ${nodeUid}`;
  const command = text
    .replaceAll(' -o node -g node', owner)
    .split(' ')
    .map((word) => inStage(stage, word))
    .join(' ');
  execFileSync('sh', ['-ec', command], {
    cwd: join(stage.root, stage.workdir),
    env: { ...env, ...stage.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function copy(text: string, stage: Stage, stages: ReadonlyMap<string, Stage>, context: BuildContext): void {
  const words = text.split(' ');
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '';
  const intoFolder = target.endsWith('/') || words.length > 1;
  for (const source of words) {
    const path = from === undefined ? fromContext(source, context) : fromStage(source, stages.get(from));
    const isFolder = statSync(path).isDirectory();
    const to = join(stage.root, resolve(stage.workdir, target), isFolder || !intoFolder ? '' : basename(path));
    const filter = from === undefined ? (file: string) => !isIgnored(file, path, context) : () => true;
    cpSync(path, to, { recursive: true, verbatimSymlinks: true, filter });
  }
}

function fromStage(source: string, stage: Stage | undefined): string {
  if (!stage) throw new Error(`COPY --from names a stage that does not exist, for ${source}`);
  return inStage(stage, source);
}

function fromContext(source: string, { folder, ignores }: BuildContext): string {
  const path = join(folder, source);
  if (!existsSync(path)) throw new Error(`COPY ${source}: there is no such file`);
  if (ignores(relative(folder, path))) throw new Error(`COPY ${source}: .dockerignore keeps it out`);
  return path;
}

function isIgnored(file: string, source: string, { folder, ignores }: BuildContext): boolean {
  return file !== source && ignores(relative(folder, file));
}
