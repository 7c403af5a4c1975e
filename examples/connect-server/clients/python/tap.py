"""Runs one scenario file and prints TAP, so that both languages are read by the same few lines of the runner."""

import importlib.util
import sys
import traceback
import unittest
from pathlib import Path


class Tap(unittest.TestResult):
    count = 0

    def line(self, test, error=None):
        self.count += 1
        name = test.id().split(".")[-1].removeprefix("test_")
        print(f"{'ok' if error is None else 'not ok'} {self.count} - {name}")
        if error is not None:
            print("  ---")
            print("".join(traceback.format_exception(*error)).replace("\n", "\n  ").rjust(2))
            print("  ...")

    def addSuccess(self, test):
        self.line(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.line(test, err)


def main(file):
    path = Path(file)
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = Tap()
    suite.run(result)
    return 0 if result.wasSuccessful() and result.count > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
