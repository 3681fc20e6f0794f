package io.peftj.core.adapter;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import java.util.List;

/** What a method may ask of its surroundings to make initial values. */
public interface InitialiseContext extends BaseValues {
    /** The random stream of a parameter: the same for the same run seed and name, whatever else was drawn. */
    CounterRandom random(String parameter);

    /**
     * Token ids of a text, without special tokens.
     *
     * @throws io.peftj.core.InvalidConfigException if the model has no tokenizer
     */
    int[] tokenIds(String text);

    /**
     * The frozen model's keys and values of a token sequence at positions 0, 1, …, after key norm and rotary embedding.
     *
     * @return a pair a layer, each [ids, kv heads, head dim]
     */
    List<KeysAndValues> keysAndValues(int... ids);

    /** One layer's keys and values [length, kv heads, head dim]. */
    record KeysAndValues(HostTensor keys, HostTensor values) {}
}
