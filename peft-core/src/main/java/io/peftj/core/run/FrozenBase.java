package io.peftj.core.run;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Weight;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A frozen model in a backend's memory, as adapters see it that are made ready for it. */
public interface FrozenBase {
    /** What plans need to know of it. */
    BackboneSpec spec();

    /** Tells it from other models; null where that is not known. */
    default @Nullable Fingerprint fingerprint() {
        return null;
    }

    /** Where it lies and computes. */
    Backend backend();

    /**
     * A matrix [out, in] by its parameter's name; a tied output embedding is the token embedding.
     *
     * @throws io.peftj.core.PeftException if the model has no such matrix
     */
    Weight weight(String parameter);

    /**
     * A parameter's values as the model computes with them, under its name in {@link BackboneSpec#parameters()}; a tied output
     * embedding has those of the token embedding.
     *
     * @return empty if the model has no such parameter
     */
    Optional<HostTensor> parameter(String name);

    /**
     * Something made of this model alone, under a name that says what it is; a model that is used much keeps it.
     *
     * @param make makes it, from any thread
     */
    default HostTensor once(String name, Supplier<HostTensor> make) {
        return make.get();
    }
}
