package io.peftj.core.adapter;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What the parameters of prompt-like methods have in common: files hold the prompt itself under PEFT's name, and modules saved whole; training may go
 * through a network that makes the prompt.
 *
 * @param prompt the stored prompt [virtual tokens, width]
 * @param saved modules saved whole
 */
public record PromptParameters(ParameterSpec prompt, SavedModules saved) {
    /** The stored prompt's name. */
    public static final String STORED = "prompt_embeddings";

    /** What the names of a network's parameters begin with. */
    public static final String NETWORK = "prompt_encoder.";

    /** One "model." less than other methods have: PEFT does not wrap the base of a prompt. */
    private static final String PREFIX = "base_model.";

    /**
     * The parameters of a prompt on a model.
     *
     * @param what what the prompt is called in messages
     * @param tokens number of virtual tokens
     * @param width what each has in files
     * @throws InvalidConfigException if it leaves rows no position
     */
    public static PromptParameters of(String what, BackboneSpec spec, AdapterConfig config, int tokens, int width) {
        if (tokens >= spec.positions()) {
            throw new InvalidConfigException("num_virtual_tokens: expected fewer than the model's " + spec.positions()
                    + " positions, found " + tokens + "; use a shorter " + what + ", so that rows have room");
        }
        return new PromptParameters(
                new ParameterSpec(STORED, Shape.of(tokens, width)), SavedModules.of(spec, config, PREFIX));
    }

    /** What files hold. */
    public List<ParameterSpec> stored() {
        return trainedAs(List.of(prompt));
    }

    /** What is trained where the prompt is made of other parameters. */
    public List<ParameterSpec> trainedAs(List<ParameterSpec> network) {
        List<ParameterSpec> all = new ArrayList<>(network);
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    /** The stored prompt's vectors stand before the row's tokens, and what is saved whole replaces the base's. */
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        all.add(new Contribution.VirtualTokens(prompt.shape().dim(0), STORED));
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }

    /**
     * Stored parameters of those that are trained; a prompt from a file has no network and stays as it is.
     *
     * @param network makes the prompt
     */
    public static Map<String, Tensor> fold(Map<String, Tensor> raw, Function<Map<String, Tensor>, Tensor> network) {
        if (raw.containsKey(STORED)) {
            return raw;
        }
        Map<String, Tensor> stored = new LinkedHashMap<>();
        stored.put(STORED, network.apply(raw));
        raw.forEach((name, value) -> {
            if (!name.startsWith(NETWORK)) {
                stored.put(name, value);
            }
        });
        return stored;
    }

    /**
     * Token ids to start from: a text's, repeated or cut to the number of virtual tokens.
     *
     * @throws InvalidConfigException if the text has no tokens
     */
    public int[] ids(InitialiseContext context, String text) {
        int[] ids = context.tokenIds(text);
        if (ids.length == 0) {
            throw new InvalidConfigException(
                    "the text \"" + text + "\" to start from has no tokens; give a few words about the task");
        }
        int[] repeated = new int[prompt.shape().dim(0)];
        Arrays.setAll(repeated, t -> ids[t % ids.length]);
        return repeated;
    }

    /**
     * A parameter that must be there.
     *
     * @throws IllegalArgumentException if it is not; the message says what there is
     */
    public static Tensor get(Map<String, Tensor> parameters, String name) {
        Tensor value = parameters.get(name);
        if (value == null) {
            throw new IllegalArgumentException(
                    "a prompt needs the parameter " + name + ", found " + parameters.keySet());
        }
        return value;
    }
}
