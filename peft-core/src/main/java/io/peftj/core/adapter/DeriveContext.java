package io.peftj.core.adapter;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.function.Supplier;

/** What a method may ask of its surroundings to derive effective parameters: for the most part, the frozen model they act on. */
public interface DeriveContext {
    /** A frozen matrix [out, in] of the base model, by its parameter's name. */
    Weight weight(String parameter);

    /** A parameter of the base model by its name, as the model computes with it. */
    HostTensor base(String parameter);

    /**
     * Something made of the base model alone: made when it is first asked for, and kept as long as the adapter is in the backend's memory.
     *
     * @param name tells apart what one plan keeps
     */
    Tensor once(String name, Supplier<Tensor> make);

    /**
     * A value made of parameters that gradients take for a constant.
     *
     * @param name tells apart what one plan holds; checks by finite differences hold the value where it was at first
     */
    Tensor constant(String name, Tensor value);
}
