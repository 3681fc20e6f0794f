package io.peftj.core.io.onnx;

import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/** The weights of an ONNX encoder, and what its graph tells of the configuration that the file does not hold. */
public final class OnnxModel implements TensorSource {
    private final TensorSource tensors;
    private final IntFunction<OptionalInt> heads;

    OnnxModel(TensorSource tensors, IntFunction<OptionalInt> heads) {
        this.tensors = tensors;
        this.heads = heads;
    }

    /**
     * The number of attention heads, as the graph cuts them out of a model's width.
     *
     * @return empty if the graph does not say
     */
    public OptionalInt attentionHeads(int width) {
        return heads.apply(width);
    }

    @Override
    public String description() {
        return tensors.description();
    }

    @Override
    public List<String> names() {
        return tensors.names();
    }

    @Override
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    @Override
    public StoredTensor find(String name) {
        return tensors.find(name);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
