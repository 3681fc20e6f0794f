package io.peftj.core.adapter;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import java.util.function.Supplier;

/** The frozen model's parameters, and what is made of them. */
public interface BaseValues {
    /** Whether the base model has values for a parameter. */
    boolean hasBase(String parameter);

    /** A parameter of the base model by its name, as the model computes with it. */
    HostTensor base(String parameter);

    /** Decompositions of matrices. */
    LinearAlgebra linearAlgebra();

    /**
     * Something that takes long and is made of the base model alone: made when it is first asked for, and kept with the model.
     *
     * @param name says what it is, the parameter and the numbers it depends on included
     */
    HostTensor once(String name, Supplier<HostTensor> make);
}
