"""Answers one SMT query of Halmos: cvc5 over the integers and yices over the bits work on it at once, the first answer counts.

Multiplication and division by amounts is where yices runs out of time and the integers are easy; packed words are the
other way round. Needs the cvc5 package (pip install cvc5) in the interpreter that runs this, and yices-smt2 on PATH.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

# Of processor time, each: a machine that is busy with other things proves no less.
SECONDS = int(os.environ.get("PROOF_SECONDS", "60"))


def over_integers(path: str) -> None:
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("solve-bv-as-int", "sum")
    solver.setOption("produce-models", "true")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    symbols = parser.getSymbolManager()
    answer = ""
    while not (command := parser.nextCommand()).isNull():
        # There is no model of what cannot be.
        if answer == "unsat" and str(command).startswith("(get-"):
            continue
        said = command.invoke(solver, symbols)
        if said:
            answer = said.strip()
            print(answer, flush=True)


def limit() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: Halmos stops this process, and these with it
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def main() -> int:
    if sys.argv[1] == "--integers":
        over_integers(sys.argv[2])
        return 0
    query = sys.argv[1]
    commands = [
        ["yices-smt2", "--smt2-model-format", "--bvconst-in-decimal", query],
        [sys.executable, __file__, "--integers", query],
    ]
    running = [
        subprocess.Popen(c, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=limit, text=True)
        for c in commands
    ]
    while running:
        for process in [p for p in running if p.poll() is not None]:
            running.remove(process)
            output = process.stdout.read()
            if output.split("\n", 1)[0].strip() in ("sat", "unsat"):
                for other in running:
                    other.kill()
                    other.wait()
                sys.stdout.write(output)
                return 0
        time.sleep(0.005)
    print("unknown")
    return 0


sys.exit(main())
