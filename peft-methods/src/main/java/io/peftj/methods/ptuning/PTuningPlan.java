package io.peftj.methods.ptuning;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.PromptParameters;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A prompt on one model that a network makes in training: stored and acting as prompt_embeddings [T, width]. */
final class PTuningPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final PTuningConfig config;
    private final PromptParameters parameters;
    private final @Nullable PromptNetwork network;

    /** Plans a configuration whose encoder width is given. */
    PTuningPlan(BackboneSpec spec, PTuningConfig config) {
        this.spec = spec;
        this.config = config;
        this.parameters = PromptParameters.of("prompt", spec, config, config.virtualTokens(), spec.width());
        Integer hidden = config.encoderHiddenSize();
        this.network = config.encoder() == Encoder.MLP && hidden != null
                ? new PromptNetwork(config.virtualTokens(), spec.width(), hidden)
                : null;
    }

    @Override
    public List<ParameterSpec> stored() {
        return parameters.stored();
    }

    @Override
    public List<ParameterSpec> raw() {
        return network == null ? stored() : parameters.trainedAs(network.parameters());
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        if (network == null) {
            throw new InvalidConfigException("encoder_reparameterization_type: expected MLP to train a new prompt,"
                    + " found LSTM, which is read from files but not trained; use MLP, or go on from a trained prompt");
        }
        Map<String, HostTensor> values = new LinkedHashMap<>(network.initialise(context));
        values.putAll(parameters.saved().initialise(spec, context));
        return values;
    }

    @Override
    public Map<String, Tensor> fold(Map<String, Tensor> raw) {
        return PromptParameters.fold(raw, PromptNetwork::prompt);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> given, DeriveContext context) {
        return fold(given);
    }

    @Override
    public List<Contribution> contributions() {
        return parameters.contributions();
    }

    @Override
    public int positionShift() {
        return config.virtualTokens();
    }
}
