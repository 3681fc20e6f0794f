package io.peftj.djl.backbone;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.InitialiseContext.KeysAndValues;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.run.Batch;
import io.peftj.core.run.FrozenBase;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A frozen transformer in a backend's memory: never changed, shared by any number of threads and adapters.
 *
 * <p>Opened by {@link Backbones}. {@link #close()} refuses new calls and frees the weights after the last running one.
 */
public final class Backbone implements FrozenBase, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Backbone.class);

    private final BackboneSpec spec;
    private final BiFunction<BackboneSpec, Weights, Transformer> opener;
    private final Backend backend;
    private final Transformer transformer;
    private final Weights weights;
    private final Outputs outputs;
    private final Fingerprint fingerprint;
    private final @Nullable Tokenizer tokenizer;
    private final List<Integer> endTokens;
    private final Map<String, HostTensor> made = new ConcurrentHashMap<>();
    private final Owned owned = new Owned();
    private final Lease lease;

    /**
     * Puts a backbone together. Runs on a thread of the backend.
     *
     * @param opener makes the body of a spec like this one and weights
     * @param endTokens tokens that end a text
     * @param afterClose what else is closed with it, such as a backend of its own
     */
    Backbone(
            BackboneSpec spec,
            Backend backend,
            BiFunction<BackboneSpec, Weights, Transformer> opener,
            Weights weights,
            Fingerprint fingerprint,
            @Nullable Tokenizer tokenizer,
            List<Integer> endTokens,
            Runnable afterClose) {
        this.spec = spec;
        this.backend = backend;
        this.opener = opener;
        this.transformer = opener.apply(spec, weights);
        this.weights = weights;
        this.fingerprint = fingerprint;
        this.tokenizer = tokenizer;
        this.endTokens = List.copyOf(endTokens);
        this.outputs = new Outputs(
                spec,
                transformer,
                spec.sites(Role.HEAD).stream()
                        .map(layer -> Linear.load(layer, weights))
                        .toList());
        this.lease = new Lease("backbone", () -> {
            backend.callUninterrupted(() -> {
                owned.close();
                weights.close();
                return Boolean.TRUE;
            });
            afterClose.run();
        });
    }

    @Override
    public BackboneSpec spec() {
        return spec;
    }

    @Override
    public Backend backend() {
        return backend;
    }

    /** The body: from token ids to hidden states. */
    public Transformer transformer() {
        return transformer;
    }

    /** What becomes of hidden states. */
    public Outputs outputs() {
        return outputs;
    }

    /** The format it computes in. */
    public DType dtype() {
        return weights.dtype();
    }

    @Override
    public Fingerprint fingerprint() {
        return fingerprint;
    }

    /**
     * Its tokenizer.
     *
     * @throws PeftException if the model came without a tokenizer.json
     */
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw new PeftException(
                    "the model has no tokenizer.json; put the one it was trained with into its directory");
        }
        return tokenizer;
    }

    /** Whether it has a tokenizer. */
    public boolean hasTokenizer() {
        return tokenizer != null;
    }

    /**
     * The ids of tokens that end a text, as tokenizer_config.json, config.json and generation_config.json give them; the first is what answers end with
     * in training.
     */
    public List<Integer> endTokens() {
        return endTokens;
    }

    /** The head of a new classification task with this model, as {@link BackboneSpec#headFor} has it. */
    public HeadSpec headFor(int classes) {
        return spec.headFor(classes);
    }

    /**
     * Runs a computation in a session of its own on a thread of the backend, and frees all it made.
     *
     * @throws IllegalStateException if the backbone is closed
     */
    public <T> T call(String operation, Function<Session, T> body) {
        return call(operation, () -> false, body);
    }

    /** {@link #call(String, Function)} that asks between layers whether to go on. */
    public <T> T call(String operation, BooleanSupplier cancelled, Function<Session, T> body) {
        try (Held held = hold(operation)) {
            return held.call(cancelled, body);
        }
    }

    /**
     * Computes something of each row, in as many parts side by side as the backend has lanes, each part in a session of its own.
     *
     * @param cancelled asked between layers whether to stop
     * @param tokens of a row: parts have about as many
     * @param compute gives one result a row of a part, in the part's order
     * @return the results in the rows' order
     * @throws IllegalStateException if the backbone is closed
     */
    public <R, T> List<T> each(
            String operation,
            BooleanSupplier cancelled,
            List<R> rows,
            ToIntFunction<R> tokens,
            BiFunction<Session, List<R>, List<T>> compute) {
        List<List<Integer>> parts = Parts.of(rows, tokens, backend.lanes());
        List<Callable<List<T>>> tasks = new ArrayList<>();
        for (List<Integer> part : parts) {
            tasks.add(() -> {
                try (Session session = Session.open(backend, cancelled)) {
                    return session.deferred(() ->
                            compute.apply(session, part.stream().map(rows::get).toList()));
                }
            });
        }
        List<@Nullable T> results = new ArrayList<>(Collections.nCopies(rows.size(), null));
        try (Held held = hold(operation)) {
            List<List<T>> found = backend.callAll(tasks);
            for (int p = 0; p < parts.size(); p++) {
                for (int i = 0; i < parts.get(p).size(); i++) {
                    results.set(parts.get(p).get(i), found.get(p).get(i));
                }
            }
        }
        return results.stream().<T>map(Objects::requireNonNull).toList();
    }

    /**
     * Keeps the weights and the backend until the returned handle is closed, whoever closes the backbone meanwhile; after that new calls are refused,
     * and those of the handle are not.
     *
     * @throws IllegalStateException if the backbone is closed
     */
    public Held hold(String operation) {
        lease.enter(operation);
        return new Held(lease, backend);
    }

    /** Keeps a backbone's memory alive; see {@link #hold}. */
    public static final class Held implements AutoCloseable {
        private final Lease lease;
        private final Backend backend;

        private Held(Lease lease, Backend backend) {
            this.lease = lease;
            this.backend = backend;
        }

        /** A part of what it is held for, as {@link Backbone#call(String, BooleanSupplier, Function)} runs it. */
        public <T> T call(BooleanSupplier cancelled, Function<Session, T> body) {
            return backend.call(() -> {
                try (Session session = Session.open(backend, cancelled)) {
                    return body.apply(session);
                }
            });
        }

        @Override
        public void close() {
            lease.leave();
        }
    }

    /** Closes something with the weights, unless it is given back by {@link #disown} before: what lies in the backend for this model alone. */
    public void own(AutoCloseable resource) {
        owned.add(resource);
    }

    /** Gives a resource back to its user, who closes it. */
    public void disown(AutoCloseable resource) {
        owned.remove(resource);
    }

    @Override
    public Optional<HostTensor> parameter(String name) {
        return call("parameter", session -> weights.read(stored(name)));
    }

    /**
     * A parameter as its architecture's files have it, of which single values are read without the rest; empty if the model has no such parameter.
     *
     * @param name as in {@link #parameter}
     */
    public Optional<Fingerprint.Tensor> sampled(String name) {
        return weights.loaded(stored(name))
                .map(matrix -> new ParameterSamples(this, spec, name, matrix).tensor())
                .or(() -> parameter(name)
                        .map(value -> new Fingerprint.Tensor(
                                value.shape(), places -> ParameterSamples.pick(value.values(), places))));
    }

    @Override
    public Weight weight(String parameter) {
        return weights.loaded(stored(parameter))
                .orElseThrow(() -> new PeftException("the base model has no matrix " + parameter));
    }

    @Override
    public HostTensor once(String name, Supplier<HostTensor> make) {
        HostTensor known = made.get(name);
        if (known != null) {
            return known;
        }
        // Made outside the map's locks, since making may wait for the backend's thread, which may ask here too.
        HostTensor value = make.get();
        HostTensor first = made.putIfAbsent(name, value);
        return first == null ? value : first;
    }

    /** The name that a tied output embedding is stored under is the token embedding's. */
    private String stored(String parameter) {
        return spec.sites(Role.OUTPUT_EMBEDDING).stream()
                .filter(site -> spec.tied() && site.weightName().equals(parameter))
                .findFirst()
                .map(site -> spec.sites(Role.EMBEDDING).get(0).weightName())
                .orElse(parameter);
    }

    /** The frozen model's keys and values of a token sequence, a pair a layer. */
    public List<KeysAndValues> keysAndValues(int... ids) {
        return call("keysAndValues", session -> {
            List<KeysAndValues> found = new ArrayList<>();
            Batch batch = Batch.of(session, spec, List.of(Row.of(Stack.BASE, 0, ids)));
            transformer.hiddenStates(new Run(
                    session,
                    batch,
                    null,
                    (layer, keys, values) -> found.add(new KeysAndValues(keys.toHost(), values.toHost()))));
            return found;
        });
    }

    /**
     * A new backbone in which an adapter's changes stand in the weights; what it does not touch is shared with this one, which stays as it is and must
     * not be closed before. A tied output embedding gets its own weights where the adapter changes one end alone.
     *
     * @param adapter an adapter of a method whose changes are linear
     * @param head the head that the adapter was trained with; null for a language model
     * @throws PeftException if the adapter adds more than weights can hold, such as a prefix, or a merged weight is not finite
     */
    public Backbone merged(ResidentAdapter adapter, @Nullable HeadSpec head) {
        lease.enter("merged");
        try {
            BackboneSpec headed = head == null ? spec : spec.withHead(head);
            return backend.call(() -> {
                Map<String, HostTensor> replaced = new Merging(this, adapter).weights();
                boolean unties = spec.tied()
                        && spec.sites(Role.OUTPUT_EMBEDDING).stream()
                                .anyMatch(site -> replaced.containsKey(site.weightName()));
                if (unties) {
                    LOG.info(
                            "the merged model has an output embedding of its own: adapter {} changes one end of the tied one",
                            adapter.name());
                }
                BackboneSpec mergedSpec = (unties ? headed.untied() : headed).withBiases(replaced.keySet());
                Weights over = weights.over(replaced);
                try {
                    return new Backbone(
                            mergedSpec, backend, opener, over, fingerprint, tokenizer, endTokens, lease::leave);
                } catch (RuntimeException e) {
                    over.close();
                    throw e;
                }
            });
        } catch (RuntimeException e) {
            lease.leave();
            throw e;
        }
    }

    /**
     * A new backbone in which an adapter's changes stand in the weights, as {@link #merged(ResidentAdapter, HeadSpec)} makes it, with the adapter's head.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public Backbone merged(Adapter adapter) {
        try (ResidentAdapter resident = AdapterLoader.resident(this, adapter.type(), adapter)) {
            return merged(resident, AdapterLoader.head(spec, adapter));
        }
    }

    /** Names of the parameters whose values are not the model file's own, since adapters were merged into them. */
    Set<String> replaced() {
        return weights.replaced();
    }

    @Override
    public void close() {
        lease.close();
    }
}
