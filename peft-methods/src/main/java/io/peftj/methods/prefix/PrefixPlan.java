package io.peftj.methods.prefix;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.InitialiseContext.KeysAndValues;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.PromptParameters;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A prefix on one model: T keys and values a layer, stored as prompt_embeddings [T, 2L·token_dim].
 *
 * <p>Viewed as [T, 2L, kv heads, head dim], index 2l holds layer l's keys and 2l + 1 its values.
 */
final class PrefixPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final PrefixConfig config;
    private final PromptParameters parameters;
    private final @Nullable PrefixNetwork network;

    /** Plans a configuration whose encoder width is given where it has one. */
    PrefixPlan(BackboneSpec spec, PrefixConfig config) {
        this.spec = spec;
        this.config = config;
        int tokens = config.virtualTokens();
        int width = 2 * spec.layers() * spec.keyValueWidth();
        this.parameters = PromptParameters.of("prefix", spec, config, tokens, width);
        Integer hidden = config.encoderHiddenSize();
        this.network = config.projection() && hidden != null
                ? new PrefixNetwork(tokens, spec.keyValueWidth(), hidden, width)
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
        Shape shape = parameters.prompt().shape();
        Map<String, HostTensor> values = new LinkedHashMap<>();
        if (network != null) {
            values.putAll(network.initialise(context, config.init() instanceof PrefixInit.Zero));
        } else if (config.init() instanceof PrefixInit.Text text) {
            values.put(PromptParameters.STORED, ofText(context, text.text()));
        } else if (config.init() instanceof PrefixInit.Zero) {
            values.put(PromptParameters.STORED, HostTensor.filled(shape, 0));
        } else {
            values.put(
                    PromptParameters.STORED,
                    context.random(PromptParameters.STORED).normal(shape, 1));
        }
        values.putAll(parameters.saved().initialise(spec, context));
        return values;
    }

    /** The model's keys and values of the text's tokens at positions 0 … T−1. */
    private HostTensor ofText(InitialiseContext context, String text) {
        int tokens = config.virtualTokens();
        List<KeysAndValues> layers = context.keysAndValues(parameters.ids(context, text));
        int width = spec.keyValueWidth();
        Shape shape = parameters.prompt().shape();
        float[] values = new float[(int) shape.size()];
        for (int l = 0; l < layers.size(); l++) {
            for (int t = 0; t < tokens; t++) {
                int at = (t * 2 * spec.layers() + 2 * l) * width;
                System.arraycopy(layers.get(l).keys().values(), t * width, values, at, width);
                System.arraycopy(layers.get(l).values().values(), t * width, values, at + width, width);
            }
        }
        return HostTensor.of(shape, values);
    }

    @Override
    public Map<String, Tensor> fold(Map<String, Tensor> raw) {
        return PromptParameters.fold(raw, PrefixNetwork::prefix);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> given, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(fold(given));
        Tensor stored = PromptParameters.get(effective, PromptParameters.STORED);
        effective.remove(PromptParameters.STORED);
        int tokens = config.virtualTokens();
        int[] each = new int[2 * spec.layers()];
        Arrays.fill(each, spec.keyValueWidth());
        List<Tensor> parts = stored.split(1, each);
        for (int l = 0; l < spec.layers(); l++) {
            effective.put(keys(l), parts.get(2 * l).reshape(tokens, spec.keyValueHeads(), spec.headDim()));
            effective.put(values(l), parts.get(2 * l + 1).reshape(tokens, spec.keyValueHeads(), spec.headDim()));
        }
        return effective;
    }

    private static String keys(int layer) {
        return "layers." + layer + ".keys";
    }

    private static String values(int layer) {
        return "layers." + layer + ".values";
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        for (int l = 0; l < spec.layers(); l++) {
            all.add(new Contribution.KeyValues(l, keys(l), values(l)));
        }
        all.addAll(parameters.saved().contributions());
        return List.copyOf(all);
    }

    @Override
    public int positionShift() {
        return config.virtualTokens();
    }
}
