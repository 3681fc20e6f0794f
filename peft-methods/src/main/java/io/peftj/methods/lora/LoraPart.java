package io.peftj.methods.lora;

import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a LoRA adapter has at one module. */
interface LoraPart {
    /** What stored names begin with, before the module's name in the base. */
    String PREFIX = "base_model.model.";

    /** Its stored parameters, which are also the raw ones. */
    List<ParameterSpec> stored();

    /** Their initial values by name. */
    Map<String, HostTensor> initialise(InitialiseContext context);

    /** Its effective parameters by name. */
    Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context);

    /** Where and how they act. */
    List<Contribution> contributions();

    /** Its stored parameters where ranks are doubled, so that what the delta is without stands in them too. */
    Map<String, HostTensor> doubled(Map<String, HostTensor> stored, BaseValues values);

    /** A stored matrix. */
    static Matrix matrix(Map<String, HostTensor> stored, ParameterSpec parameter) {
        return Matrix.of(Objects.requireNonNull(stored.get(parameter.name()), parameter.name()));
    }

    /** A parameter's value, which has to be there. */
    static Tensor of(Map<String, Tensor> parameters, ParameterSpec parameter) {
        return Objects.requireNonNull(parameters.get(parameter.name()), parameter.name());
    }
}
