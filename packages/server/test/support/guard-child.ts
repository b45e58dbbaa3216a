import { spawn, type ChildProcess } from 'node:child_process';

/** Keeps the ids of live processes, and when its input ends kills those that are left. */
const KEEPER = `
live=" "
while read -r sign pid; do
  case $sign in
    +) live="$live$pid " ;;
    -) live="\${live%% $pid *} \${live#* $pid }" ;;
  esac
done
[ "$live" = " " ] || kill -9 $live
`;

let keeper: ChildProcess | null = null;

/** From now on this process's child ends with it, however it ends: by an error, Ctrl-C or kill -9. */
export function guardChild(child: ChildProcess): void {
  if (child.pid === undefined) return; // it could not be started
  if (!keeper) {
    // In a process group of its own, so that Ctrl-C does not reach it; it ends when the pipe from us does.
    keeper = spawn('sh', ['-c', KEEPER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    keeper.unref();
    (keeper.stdin as unknown as { unref(): void }).unref(); // a pipe has it, though its type does not say so
  }
  const { pid } = child;
  keeper.stdin!.write(`+ ${pid}\n`);
  child.once('exit', () => keeper?.stdin?.write(`- ${pid}\n`));
}
