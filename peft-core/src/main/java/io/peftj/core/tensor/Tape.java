package io.peftj.core.tensor;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Notes operations while they run and differentiates them afterwards, in reverse.
 *
 * <p>Only operations with an input that leads to a {@link #leaf} are noted, each with its rule: a vector-Jacobian product written in the same
 * vocabulary. What a rule needs later is saved with it and freed at its use. Cotangents have their value's format. A tape is used once: after
 * {@link #backward} it holds gradients only.
 */
public final class Tape implements AutoCloseable {
    private final Session session;
    private final boolean probing;
    private final List<Node> nodes = new ArrayList<>();
    /** The first nodes of layers. */
    private final BitSet layers = new BitSet();

    private final Map<Origin, Tensor> foreign = new LinkedHashMap<>();
    private final List<Tensor> foreignSources = new ArrayList<>();
    private boolean spent;
    private boolean closed;

    Tape(Session session, boolean probing) {
        this.session = session;
        this.probing = probing;
    }

    /** Marks a value as one whose gradient is wanted, and returns it so marked. The caller keeps the value alive. */
    public Tensor leaf(Tensor value) {
        if (spent || closed) {
            throw new IllegalStateException("leaf: the tape was used already; start another");
        }
        Node node = new Node(this, "leaf", new Tensor[0], new Origin[0], new Tensor[0], null, 1);
        nodes.add(node);
        return value.at(new Origin(node, 0));
    }

    /**
     * Differentiates a scalar.
     *
     * @throws IllegalArgumentException if the value is no scalar or depends on no leaf
     */
    public void backward(Tensor scalar) {
        if (scalar.shape().size() != 1) {
            throw new IllegalArgumentException(
                    "backward needs a scalar, found shape " + scalar.shape() + "; reduce it first");
        }
        try (Scope scope = session.scope()) {
            Tensor one = session.tensor(HostTensor.filled(scalar.shape(), 1), scalar.dtype());
            backward(List.of(scalar), List.of(one));
        }
    }

    /**
     * Passes cotangents of several values back to the leaves.
     *
     * @param values results of operations on this tape; one that depends on no leaf is passed over
     * @param cotangents one each, of the value's shape and format
     * @throws IllegalArgumentException if none of the values depends on a leaf, or a cotangent does not fit its value
     * @throws IllegalStateException if the tape was used before, or a parameter that it saved has changed since
     */
    public void backward(List<Tensor> values, List<Tensor> cotangents) {
        session.checkUsable("backward");
        if (spent || closed) {
            throw new IllegalStateException("backward: the tape was used already; note the operations again");
        }
        checkCotangents(values, cotangents);
        if (values.stream().noneMatch(value -> value.origin().isOn(this))) {
            throw new IllegalArgumentException("backward: the value depends on no leaf of this tape");
        }
        spent = true;
        session.untaped(() -> {
            session.checkCancelled();
            for (int i = 0; i < values.size(); i++) {
                if (values.get(i).origin().isOn(this)) {
                    values.get(i).origin().accumulate(cotangents.get(i));
                }
            }
            for (int i = nodes.size() - 1; i >= 0; i--) {
                nodes.get(i).pass(session);
                if (layers.get(i)) {
                    session.checkCancelled();
                }
            }
            return null;
        });
    }

    private static void checkCotangents(List<Tensor> values, List<Tensor> cotangents) {
        Ops.check(
                values.size() == cotangents.size(),
                "backward",
                () -> values.size() + " values need as many cotangents, found " + cotangents.size());
        for (int i = 0; i < values.size(); i++) {
            Tensor value = values.get(i);
            Tensor cotangent = cotangents.get(i);
            Ops.check(
                    cotangent.shape().equals(value.shape()) && cotangent.dtype() == value.dtype(),
                    "backward",
                    () -> "the cotangent of " + value + " should be like it, found " + cotangent);
        }
    }

    /** Notes that a layer begins with the next operation: where the backward pass asks whether to go on, too. */
    void beginLayer() {
        layers.set(nodes.size());
    }

    /** A leaf's gradient after {@link #backward}, alive until the tape closes; null where nothing depends on the leaf. */
    public @Nullable Tensor gradient(Tensor leaf) {
        if (closed) {
            throw new IllegalStateException(
                    "gradient: the tape is closed and its gradients are freed; keep them before");
        }
        Node node = leaf.origin().node();
        if (node == null || !leaf.origin().isOn(this) || !node.isLeaf()) {
            throw new IllegalArgumentException("gradient: the tensor is no leaf of this tape");
        }
        return node.cotangent(0);
    }

    @Override
    public void close() {
        if (!closed) {
            session.leave(this);
            closed = true;
            nodes.forEach(Node::free);
            nodes.clear();
        }
    }

    /**
     * Runs a part of the computation now and again in the backward pass, so that only what it captures is kept between.
     *
     * @param body a pure function of the tensors it captures: it draws nothing and changes nothing; its results belong to the innermost scope
     * @param constants what it captures that leads to no leaf and may be freed before the backward pass
     * @return the body's results
     */
    public static List<Tensor> checkpoint(Session session, Supplier<List<Tensor>> body, Tensor... constants) {
        Tape outer = session.tape();
        if (outer == null) {
            return body.get();
        }
        List<Tensor> results;
        Tensor[] captured;
        try (Tape probe = session.startProbe()) {
            results = body.get();
            results.forEach(probe::resolve); // a result may be a captured tensor itself
            captured = probe.foreignSources.toArray(Tensor[]::new);
        }
        // The body reads the captured tensors themselves when it is replayed, so these are kept as they are.
        Tensor[] kept = Stream.of(captured, constants).flatMap(Stream::of).toArray(Tensor[]::new);
        return outer.note("checkpoint", results, captured, kept, pass -> outer.replay(pass, captured, body));
    }

    private void replay(Backward pass, Tensor[] captured, Supplier<List<Tensor>> body) {
        try (Tape replay = session.startTape()) {
            List<Tensor> again = replayed(body);
            List<Tensor> reached = new ArrayList<>();
            List<Tensor> cotangents = new ArrayList<>();
            for (int i = 0; i < again.size(); i++) {
                Origin origin = replay.resolve(again.get(i));
                if (pass.hasGradient(i) && origin.isTracked()) {
                    reached.add(again.get(i).at(origin));
                    cotangents.add(pass.gradient(i));
                }
            }
            if (reached.isEmpty()) {
                return;
            }
            replay.backward(reached, cotangents);
            for (int i = 0; i < captured.length; i++) {
                Tensor leaf = replay.foreign.get(captured[i].origin());
                Tensor gradient = leaf == null ? null : replay.gradient(leaf);
                if (gradient != null) {
                    pass.give(i, () -> gradient);
                }
            }
        }
    }

    /** What the tape did not save need not live through the backward pass. */
    private List<Tensor> replayed(Supplier<List<Tensor>> body) {
        try (Scope scope = session.scope()) {
            return body.get().stream().map(scope::keep).toList();
        }
    }

    /** Notes an operation if one of its inputs leads to a leaf; returns the results as this tape knows them. */
    List<Tensor> noteCompact(String operation, List<Tensor> results, Tensor[] inputs, Tensor[] saved, Rule rule) {
        return note(operation, results, inputs, !probing && anyTracked(inputs) ? compact(saved) : saved, rule);
    }

    // Loops instead of streams: these methods run for every operation.

    private static boolean anyTracked(Tensor... inputs) {
        for (Tensor input : inputs) {
            if (input.origin().isTracked()) {
                return true;
            }
        }
        return false;
    }

    /** Views of a small part would keep the whole storage alive until the backward pass. A tensor saved twice is copied once. */
    private static Tensor[] compact(Tensor[] saved) {
        Tensor[] kept = new Tensor[saved.length];
        for (int i = 0; i < saved.length; i++) {
            for (int before = 0; before < i && kept[i] == null; before++) {
                kept[i] = saved[before] == saved[i] ? kept[before] : null;
            }
            if (kept[i] == null) {
                kept[i] = saved[i].compact(elementsOf(saved[i].buffer().storage(), saved));
            }
        }
        return kept;
    }

    /** How many elements of a storage are saved together; a tensor saved twice counts once. */
    private static long elementsOf(Buffer storage, Tensor[] saved) {
        long elements = 0;
        for (int i = 0; i < saved.length; i++) {
            boolean first = saved[i].buffer().storage() == storage;
            for (int before = 0; before < i && first; before++) {
                first = saved[before] != saved[i];
            }
            elements += first ? saved[i].shape().size() : 0;
        }
        return elements;
    }

    private List<Tensor> note(String operation, List<Tensor> results, Tensor[] inputs, Tensor[] saved, Rule rule) {
        Origin[] origins = new Origin[inputs.length];
        boolean tracked = false;
        for (int i = 0; i < inputs.length; i++) {
            origins[i] = resolve(inputs[i]);
            tracked |= origins[i].isTracked();
        }
        if (probing || !tracked) {
            return results;
        }
        if (spent) {
            throw new IllegalStateException(operation + ": the tape was used already; start another");
        }
        Node node = new Node(this, operation, inputs, origins, saved, rule, results.size());
        nodes.add(node);
        List<Tensor> noted = new ArrayList<>(results.size());
        for (int i = 0; i < results.size(); i++) {
            noted.add(results.get(i).at(new Origin(node, i)));
        }
        return noted;
    }

    /** Where a tensor comes from on this tape: one that an outer tape tracks becomes a leaf here. */
    private Origin resolve(Tensor tensor) {
        Origin origin = tensor.origin();
        if (!origin.isTracked() || origin.isOn(this)) {
            return origin;
        }
        Tensor known = foreign.get(origin);
        if (known == null) {
            known = leaf(tensor);
            foreign.put(origin, known);
            foreignSources.add(tensor);
        }
        return known.origin();
    }

    /** Says how an operation passes cotangents on. */
    @FunctionalInterface
    interface Rule {
        void apply(Backward pass);
    }

    /** Which output of which node a tensor is. */
    record Origin(@Nullable Node node, int output) {
        static final Origin NONE = new Origin(null, 0);

        boolean isTracked() {
            return node != null;
        }

        boolean isOn(Tape tape) {
            return node != null && node.tape() == tape;
        }

        void accumulate(Tensor cotangent) {
            if (node != null) {
                node.accumulate(output, cotangent);
            }
        }
    }
}
