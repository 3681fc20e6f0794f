package io.peftj.methods.prefix;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.InitialiseContext.KeysAndValues;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
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
    private static final String STORED = "prompt_embeddings";
    /** One "model." less than other methods have: PEFT does not wrap the base of a prompt. */
    private static final String PREFIX = "base_model.";

    private final BackboneSpec spec;
    private final PrefixConfig config;
    private final ParameterSpec prefix;
    private final @Nullable PrefixNetwork network;
    private final SavedModules saved;

    /** Plans a configuration whose encoder width is given where it has one. */
    PrefixPlan(BackboneSpec spec, PrefixConfig config) {
        this.spec = spec;
        this.config = config;
        int tokens = config.virtualTokens();
        if (tokens >= spec.positions()) {
            throw new InvalidConfigException("num_virtual_tokens: expected fewer than the model's " + spec.positions()
                    + " positions, found " + tokens + "; use a shorter prefix, so that rows have room");
        }
        int width = 2 * spec.layers() * spec.keyValueWidth();
        this.prefix = new ParameterSpec(STORED, Shape.of(tokens, width));
        Integer hidden = config.encoderHiddenSize();
        this.network = config.projection() && hidden != null
                ? new PrefixNetwork(tokens, spec.keyValueWidth(), hidden, width)
                : null;
        this.saved = SavedModules.of(spec, config, PREFIX);
    }

    @Override
    public List<ParameterSpec> stored() {
        return withSaved(List.of(prefix));
    }

    @Override
    public List<ParameterSpec> raw() {
        return network == null ? stored() : withSaved(network.parameters());
    }

    private List<ParameterSpec> withSaved(List<ParameterSpec> own) {
        List<ParameterSpec> all = new ArrayList<>(own);
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        if (network != null) {
            values.putAll(network.initialise(context, config.init() instanceof PrefixInit.Zero));
        } else if (config.init() instanceof PrefixInit.Text text) {
            values.put(STORED, ofText(context, text.text()));
        } else if (config.init() instanceof PrefixInit.Zero) {
            values.put(STORED, HostTensor.filled(prefix.shape(), 0));
        } else {
            values.put(STORED, context.random(STORED).normal(prefix.shape(), 1));
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    /** The model's keys and values of the text's tokens at positions 0 … T−1. */
    private HostTensor ofText(InitialiseContext context, String text) {
        int[] ids = context.tokenIds(text);
        if (ids.length == 0) {
            throw new InvalidConfigException("the prefix's text \"" + text + "\" has no tokens; give another");
        }
        int tokens = config.virtualTokens();
        int[] repeated = new int[tokens];
        Arrays.setAll(repeated, t -> ids[t % ids.length]);
        List<KeysAndValues> layers = context.keysAndValues(repeated);
        int width = spec.keyValueWidth();
        float[] values = new float[(int) prefix.shape().size()];
        for (int l = 0; l < layers.size(); l++) {
            for (int t = 0; t < tokens; t++) {
                int at = (t * 2 * spec.layers() + 2 * l) * width;
                System.arraycopy(layers.get(l).keys().values(), t * width, values, at, width);
                System.arraycopy(layers.get(l).values().values(), t * width, values, at + width, width);
            }
        }
        return HostTensor.of(prefix.shape(), values);
    }

    /** What the network makes; a prefix from a file has none and stays as it is. */
    @Override
    public Map<String, Tensor> fold(Map<String, Tensor> raw) {
        if (raw.containsKey(STORED)) {
            return raw;
        }
        Map<String, Tensor> stored = new LinkedHashMap<>();
        stored.put(STORED, PrefixNetwork.prefix(raw));
        raw.forEach((name, value) -> {
            if (!PrefixNetwork.isParameter(name)) {
                stored.put(name, value);
            }
        });
        return stored;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(fold(parameters));
        Tensor stored = effective.remove(STORED);
        if (stored == null) {
            throw new IllegalArgumentException(
                    "a prefix needs the parameter " + STORED + ", found " + effective.keySet());
        }
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
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }

    @Override
    public int positionShift() {
        return config.virtualTokens();
    }
}
