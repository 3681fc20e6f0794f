package io.peftj.methods.head;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** The head's parameters in place of the base's, whole. */
final class HeadPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final SavedModules saved;

    HeadPlan(BackboneSpec spec, HeadConfig config) {
        this.spec = spec;
        this.saved = SavedModules.of(spec, config, "base_model.model.");
        if (saved.parameters().isEmpty()) {
            throw new InvalidConfigException(
                    "HEAD trains a task's head, but " + spec.architecture() + " with task type "
                            + config.taskType() + " and modules_to_save " + config.modulesToSave()
                            + " has none; give the task type SEQ_CLS and a model with a classification head, or name modules");
        }
    }

    @Override
    public List<ParameterSpec> stored() {
        return saved.stored();
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        return saved.initialise(spec, context);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return parameters;
    }

    @Override
    public List<Contribution> contributions() {
        return saved.contributions();
    }
}
