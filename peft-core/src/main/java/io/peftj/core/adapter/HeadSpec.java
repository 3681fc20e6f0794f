package io.peftj.core.adapter;

import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import java.util.List;

/**
 * A classification head over a row's pooled state.
 *
 * @param name the module's name, such as "classifier" or "score"
 * @param classes number of classes
 * @param in width of the pooled state
 * @param bias whether the layer that makes the class logits has a bias
 * @param pooling what is pooled; with a pooler in the model, its input
 * @param hidden whether a dense layer [in, in] with a bias, and tanh after it, stands before the class logits, as in RoBERTa's head: its layers are then
 *     name.dense and name.out_proj
 */
public record HeadSpec(String name, int classes, int in, boolean bias, Pooling pooling, boolean hidden) {
    /** A head of one layer. */
    public HeadSpec(String name, int classes, int in, boolean bias, Pooling pooling) {
        this(name, classes, in, bias, pooling, false);
    }

    /** Its layers, the last of which makes the class logits. */
    public List<Site> layers() {
        return hidden
                ? List.of(
                        new Site(name + ".dense", Role.HEAD, -1, in, in, true),
                        new Site(name + ".out_proj", Role.HEAD, -1, in, classes, bias))
                : List.of(new Site(name, Role.HEAD, -1, in, classes, bias));
    }

    /** Whether a base parameter is one of its own. */
    public boolean has(String parameter) {
        return layers().stream()
                .anyMatch(layer -> parameter.equals(layer.weightName()) || parameter.equals(layer.biasName()));
    }

    /** The same kind of head for another number of classes. */
    public HeadSpec withClasses(int other) {
        return new HeadSpec(name, other, in, bias, pooling, hidden);
    }

    /** The same head over rows that are pooled otherwise. */
    public HeadSpec withPooling(Pooling other) {
        return new HeadSpec(name, classes, in, bias, other, hidden);
    }
}
