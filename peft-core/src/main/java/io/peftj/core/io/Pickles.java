package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.nio.file.Path;

/** Files that are Python programs in disguise: never read, since loading one runs whatever it says. */
final class Pickles {
    private Pickles() {}

    /** The error of a pickle, with the Python that converts it. */
    static InvalidFileException refused(Path file, String python) {
        return new InvalidFileException(InputFiles.shortName(file)
                + ": expected safetensors, found a pickle, which can run any code when it is loaded and is never read;"
                + " if you trust it, convert it once in its folder: python -c \"" + python + "\"");
    }
}
