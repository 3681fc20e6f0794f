package io.peftj.djl.train;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Trains an adapter for a task on a frozen model.
 *
 * <p>Rows come from anything that can be gone through: lists, streams, files ({@link io.peftj.djl.data.Datasets}). All become token ids before the first
 * step, and only these are kept, four bytes a token; data that does not fit into memory even so is not supported.
 *
 * <p>Unless said otherwise: 3 epochs of shuffled batches of 32 rows; AdamW with a learning rate of 1e-3, betas .9 and .999 and no weight decay; a linear decay
 * after 6 % warm-up; gradients clipped to a norm of 1; seed 0. The base's own dropout is always off. Equal settings and data give equal adapters, bit for
 * bit, on one kind of processor with one number of threads.
 *
 * <p>With validation rows the adapter is evaluated after every epoch, and {@link #fit} returns the best one: that with the highest accuracy, for text the
 * lowest perplexity, for pairs the highest recall@1, unless {@link #bestBy} says otherwise. Without, it returns the last.
 *
 * @param <R> a row of the data
 */
public final class AdapterTrainer<R> {
    private final Backbone base;
    private final Beginning beginning;
    private final Task<R> task;
    private final List<TrainingListener> listeners = new ArrayList<>();
    private BooleanSupplier cancelled = () -> false;
    private @Nullable Checkpoints checkpoints;

    private int epochs = 3;
    private Batching batching = Batching.rows(32);
    private int microBatch;
    private boolean gradientCheckpointing;
    private double learningRate = 1e-3;
    private Map<String, Double> rateFactors = Map.of();
    private double beta1 = 0.9;
    private double beta2 = 0.999;
    private double epsilon = 1e-8;
    private double weightDecay;
    private Schedule schedule = Schedule.linear().warmUp(0.06);
    private double clipNorm = 1;
    private long seed;
    private int patience;
    private @Nullable Metric metric;
    private @Nullable Bilevel bilevel;

    private AdapterTrainer(Backbone base, Beginning beginning, Task<R> task) {
        this.base = base;
        this.beginning = beginning;
        this.task = task;
    }

    /** Begins to say what is trained: on which model. */
    public static Start on(Backbone base) {
        return new Start(base);
    }

    /** What the adapter begins as. */
    private record Beginning(AdapterConfig config, @Nullable Adapter adapter) {}

    /** A model; what is trained on it comes next. */
    public static final class Start {
        private final Backbone base;

        private Start(Backbone base) {
            this.base = base;
        }

        /** Trains a new adapter. */
        public Method method(AdapterConfig config) {
            return new Method(base, new Beginning(config, null));
        }

        /** Trains a copy of an adapter further, with a new optimiser. */
        public Method startFrom(Adapter adapter) {
            return new Method(base, new Beginning(adapter.config(), adapter));
        }
    }

    /** A model and a method; the task comes next. */
    public static final class Method {
        private final Backbone base;
        private final Beginning beginning;

        private Method(Backbone base, Beginning beginning) {
            this.base = base;
            this.beginning = beginning;
        }

        /** What is learnt; the rest has defaults. */
        public <R> AdapterTrainer<R> task(Task<R> task) {
            return new AdapterTrainer<>(base, beginning, task);
        }
    }

    /** How often the rows are gone through: at least 1. */
    public AdapterTrainer<R> epochs(int number) {
        epochs = number;
        return this;
    }

    /** Rows of an optimiser step: at least 1. */
    public AdapterTrainer<R> batchSize(int rows) {
        return batching(Batching.rows(rows));
    }

    /** How rows become the batches of the optimiser's steps. */
    public AdapterTrainer<R> batching(Batching how) {
        batching = how;
        return this;
    }

    /** Computes batches in portions of at most so many rows, 0 for whole batches: less memory, the same steps. Refused where a loss compares the rows of a batch. */
    public AdapterTrainer<R> microBatchSize(int rows) {
        microBatch = rows;
        return this;
    }

    /**
     * Whether layers are computed again in the backward pass instead of kept from the forward pass (arXiv 1604.06174): much less memory for long rows or
     * large batches, about a third more time, the same steps (in single precision on a processor bit for bit).
     */
    public AdapterTrainer<R> gradientCheckpointing(boolean value) {
        gradientCheckpointing = value;
        return this;
    }

    /** The learning rate at the schedule's height, above 0. */
    public AdapterTrainer<R> learningRate(double rate) {
        learningRate = rate;
        return this;
    }

    /**
     * Lets some parameters learn faster or slower, such as LoRA's second matrices (LoRA+).
     *
     * @param byEndOfName factors of the learning rate, above 0, by the end of a raw parameter's name
     */
    public AdapterTrainer<R> learningRateFactors(Map<String, Double> byEndOfName) {
        rateFactors = Map.copyOf(byEndOfName);
        return this;
    }

    /**
     * Lets some parameters learn from the validation rows, and all others from the training rows. Evaluations on rows that were learnt from flatter: keep
     * others for a last one.
     */
    public AdapterTrainer<R> bilevel(Bilevel upper) {
        bilevel = upper;
        return this;
    }

    /** How the learning rate changes over the run. */
    public AdapterTrainer<R> schedule(Schedule how) {
        schedule = how;
        return this;
    }

    /** How fast AdamW forgets gradients and their squares: each at least 0 and below 1. */
    public AdapterTrainer<R> betas(double first, double second) {
        beta1 = first;
        beta2 = second;
        return this;
    }

    /** What AdamW adds to the denominator, above 0. */
    public AdapterTrainer<R> epsilon(double value) {
        epsilon = value;
        return this;
    }

    /** AdamW's decoupled weight decay, at least 0. */
    public AdapterTrainer<R> weightDecay(double value) {
        weightDecay = value;
        return this;
    }

    /** Scales a step's gradient down to this Euclidean norm where it is longer; 0 for never. */
    public AdapterTrainer<R> clipNorm(double norm) {
        clipNorm = norm;
        return this;
    }

    /** Decides initial values, the rows' order and dropout. */
    public AdapterTrainer<R> seed(long value) {
        seed = value;
        return this;
    }

    /** Stops when so many evaluations in a row were no better than the best before; 0 for never. */
    public AdapterTrainer<R> earlyStopping(int evaluations) {
        patience = evaluations;
        return this;
    }

    /** What decides which evaluation is the best; among equal ones the lower loss does. Otherwise it is the first metric of the task. */
    public AdapterTrainer<R> bestBy(Metric deciding) {
        metric = deciding;
        return this;
    }

    /** Is told how it goes; further listeners are told in their order. */
    public AdapterTrainer<R> listener(TrainingListener listener) {
        listeners.add(listener);
        return this;
    }

    /** Asked between layers whether to stop, on any thread: {@code AtomicBoolean::get} of a flag that another thread sets. */
    public AdapterTrainer<R> cancelWhen(BooleanSupplier asked) {
        cancelled = asked;
        return this;
    }

    /** Keeps a checkpoint, so that a run which ends before its time can go on. */
    public AdapterTrainer<R> checkpoints(Checkpoints where) {
        checkpoints = where;
        return this;
    }

    /** The adapter as it is before the first step, to compare with. */
    public Adapter untrained() {
        try (Backbone.Held held = base.hold("untrained")) {
            Planned planned = plan();
            try (TrainableAdapter untrained = begin(planned)) {
                return adapter(planned, untrained.stored());
            }
        }
    }

    /** {@link #fit(Iterable, Iterable)} without validation. */
    public Adapter fit(Iterable<R> train) {
        return fit(train, List.of());
    }

    /**
     * Trains. Interrupting the thread cancels, as {@link #cancelWhen} does.
     *
     * @param train rows to learn from
     * @param validation rows to evaluate on after each epoch; none for no evaluation
     * @return the best evaluated adapter, or the last one
     * @throws IllegalArgumentException if a number is out of its range
     * @throws PeftException if a row or a setting does not fit the task or the model
     * @throws TrainingStoppedException if a loss or gradient is not finite
     * @throws TrainingCancelledException if it was cancelled; it has what was learnt
     * @throws io.peftj.core.InvalidFileException if the checkpoint to go on from is damaged
     */
    public Adapter fit(Iterable<R> train, Iterable<R> validation) {
        AdamW optimizer = new AdamW(learningRate, beta1, beta2, epsilon, weightDecay);
        Objective objective = task.objective(base);
        if (microBatch > 0 && !objective.isRowWise()) {
            throw new InvalidConfigException("the task compares all rows of a batch with each other, which"
                    + " micro-batches of " + microBatch + " would take apart; leave the micro-batch out, or use"
                    + " smaller batches");
        }
        Recipe recipe = new Recipe(
                epochs,
                batching,
                microBatch,
                gradientCheckpointing,
                optimizer,
                rateFactors,
                schedule,
                clipNorm,
                seed,
                patience,
                deciding(objective),
                bilevel);
        CheckpointStore store = checkpoints == null ? null : CheckpointStore.open(checkpoints);
        try (Backbone.Held held = base.hold("fit")) {
            Planned planned = plan();
            recipe.checkNames(trainedBy(planned.plan()));
            List<Example> examples = task.examples(base, planned.plan(), train);
            if (examples.isEmpty()) {
                throw new PeftException("there is nothing to train on; give at least one row");
            }
            TrainingRun.Data data = new TrainingRun.Data(examples, task.examples(base, planned.plan(), validation));
            if (bilevel != null && data.validation().isEmpty()) {
                throw new InvalidConfigException("training on two levels: expected validation rows, from which "
                        + bilevel.endsOfNames() + " learn, found none; give some, or train on one level");
            }
            RunDescription description =
                    RunDescription.of(base, planned.config(), beginning.adapter(), recipe, task, data);
            Checkpoint from = store == null ? null : store.find(description, trainedBy(planned.plan()));
            try (TrainableAdapter trained = from == null ? begin(planned) : goOn(planned, from)) {
                return new TrainingRun(
                                base,
                                new TrainingRun.Work(recipe, objective, data, description),
                                trained,
                                stored -> adapter(planned, stored),
                                new TrainingRun.Watch(new Listeners(listeners), cancelled, store),
                                from)
                        .run();
            }
        }
    }

    private Metric deciding(Objective objective) {
        List<Metric> known = new ArrayList<>(objective.metrics());
        known.add(Metric.LOSS);
        Metric asked = metric;
        if (asked != null && !known.contains(asked)) {
            throw new InvalidConfigException("the best adapter cannot be found by " + asked
                    + ": the task's evaluations have " + known + "; choose one of these");
        }
        return asked == null ? known.get(0) : asked;
    }

    /** {@link #fit(Iterable)} on a stream, which is gone through once and not closed. */
    @SuppressWarnings("StreamToIterable") // once is enough, and rows need not be held
    public Adapter fit(Stream<R> train) {
        return fit(train::iterator);
    }

    /** {@link #fit(Iterable, Iterable)} on streams, which are gone through once and not closed. */
    @SuppressWarnings("StreamToIterable") // once is enough, and rows need not be held
    public Adapter fit(Stream<R> train, Stream<R> validation) {
        return fit(train::iterator, validation::iterator);
    }

    /** What the method does on this model. */
    private record Planned(BackboneSpec spec, AdapterConfig config, AdapterPlan plan) {
        String name() {
            return AdapterMethods.of(config).type();
        }
    }

    private Planned plan() {
        BackboneSpec spec = task.spec(base);
        AdapterConfig config = AdapterMethods.complete(spec, ofTask(beginning.config()));
        return new Planned(spec, config, AdapterMethods.plan(spec, config));
    }

    private TrainableAdapter begin(Planned planned) {
        return TrainableAdapter.start(base, planned.name(), planned.plan(), start(planned.spec(), planned.plan()));
    }

    private TrainableAdapter goOn(Planned planned, Checkpoint from) {
        return TrainableAdapter.resume(base, planned.name(), planned.plan(), from.parameters());
    }

    /** An adapter from a file is trained in the form that files have. */
    private List<ParameterSpec> trainedBy(AdapterPlan plan) {
        return beginning.adapter() == null ? plan.raw() : plan.stored();
    }

    private AdapterConfig ofTask(AdapterConfig config) {
        List<TaskType> types = task.types(base);
        TaskType asked = config.taskType();
        if (asked == null) {
            return config.withTaskType(types.get(0));
        }
        if (!types.contains(asked)) {
            throw new InvalidConfigException("the configuration's task type is " + asked
                    + ", but the trainer's task needs one of " + types + "; leave it open or set it right");
        }
        return config;
    }

    private Map<String, HostTensor> start(BackboneSpec spec, AdapterPlan plan) {
        Adapter adapter = beginning.adapter();
        if (adapter == null) {
            return plan.initialise(new BackboneContext(base, spec, seed));
        }
        List<String> before = adapter.task().labels();
        List<String> now = task.data(base).labels();
        if (!before.isEmpty() && !before.equals(now)) {
            throw new InvalidConfigException("the adapter was trained for the labels " + before + ", the task has "
                    + now + "; give the task the adapter's labels in their order");
        }
        AdapterFiles.check(adapter, spec, base.fingerprint());
        Map<String, HostTensor> values = new LinkedHashMap<>();
        plan.stored()
                .forEach(parameter -> values.put(
                        parameter.name(),
                        Objects.requireNonNull(adapter.parameters().get(parameter.name()))));
        return values;
    }

    private Adapter adapter(Planned planned, Map<String, HostTensor> stored) {
        Adapter before = beginning.adapter();
        Adapter trained = new Adapter(
                AdapterMethods.of(planned.config()).type(),
                planned.config(),
                stored,
                task.data(base),
                base.fingerprint().encode(),
                seed,
                before == null ? new JsonObject() : before.otherKeys());
        return AdapterMethods.settle(trained, planned.spec(), new BackboneContext(base, planned.spec(), seed));
    }
}
