package io.peftj.djl.engine;

import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.peftj.core.PeftException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A loaded archive, whose methods are called in inference mode; safe to share between threads. */
final class Script implements AutoCloseable {
    private final PtSymbolBlock module;

    private Script(PtSymbolBlock module) {
        this.module = module;
    }

    /**
     * Loads methods.
     *
     * @throws RuntimeException from DJL if libtorch lacks one of the operations named in them
     */
    static Script load(PtNDManager manager, String methods) {
        try {
            Path archive = Files.createTempFile("kernels", ".pt");
            try {
                try (OutputStream out = Files.newOutputStream(archive)) {
                    Archive.write(methods, out);
                }
                return new Script(JniUtils.loadModule(manager, archive, true, new String[0], new String[0], false));
            } finally {
                Files.deleteIfExists(archive);
            }
        } catch (IOException e) {
            throw new PeftException(
                    "the kernels' archive could not be written to the folder for temporary files ("
                            + System.getProperty("java.io.tmpdir") + "): " + e.getMessage() + "; make it writable",
                    e);
        }
    }

    /** Calls a method; the caller closes the result and, after it, the arguments. */
    IValue call(String method, IValue... arguments) {
        return IValueUtils.runMethod(module, method, arguments);
    }

    @Override
    public void close() {
        module.close();
    }
}
