package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.util.List;

/**
 * Named tensors of a model, wherever they lie: one safetensors file, a directory of shards, an ONNX file.
 *
 * <p>Implementations are safe for use by several threads. Tensors already found stay readable after {@link #close()}.
 */
public interface TensorSource extends AutoCloseable {
    /** What the tensors come from, for messages: a file's or folder's name. */
    String description();

    /** All names, in the order of the tensors in their files. */
    List<String> names();

    /** Whether a tensor of this name exists. */
    boolean contains(String name);

    /**
     * The tensor of this name.
     *
     * @throws InvalidFileException if there is none; the message lists the names nearest to it
     * @throws IllegalStateException if the source was closed
     */
    StoredTensor find(String name);

    /** Lets go of the files; calling it again does nothing. */
    @Override
    void close();
}
