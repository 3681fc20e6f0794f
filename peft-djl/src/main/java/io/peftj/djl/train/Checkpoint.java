package io.peftj.djl.train;

import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.train.TrainableAdapter.State;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a run's next step depends on.
 *
 * @param run which run it is of
 * @param progress how far that is
 * @param parameters raw parameters with the optimiser's state
 */
record Checkpoint(RunDescription run, Progress progress, Map<String, State> parameters) {
    Checkpoint {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** Whether a run can go on from it. */
    boolean isFinite() {
        return isFinite(parameters.values().stream().map(State::parameter).toList());
    }

    static boolean isFinite(Collection<HostTensor> parameters) {
        for (HostTensor parameter : parameters) {
            for (float value : parameter.values()) {
                if (!Float.isFinite(value)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * How far a run is. Between the last batch of an epoch and its evaluation, {@code batches} is the number of all of them; once it is evaluated the next
     * epoch has begun.
     *
     * @param step steps taken
     * @param epoch the one that goes on, from 1; one more than there are when all are done
     * @param batches of this epoch that are done
     * @param epochLoss the sum of their losses
     * @param lastLoss the last step's
     * @param notBetter evaluations since the best one
     * @param best null before the first evaluation
     */
    record Progress(
            long step,
            int epoch,
            int batches,
            double epochLoss,
            double lastLoss,
            int notBetter,
            @Nullable Best best) {
        /** Before the first step. */
        static final Progress NONE = new Progress(0, 1, 0, 0, 0, 0, null);

        Progress afterStep(double loss) {
            return new Progress(step + 1, epoch, batches + 1, epochLoss + loss, loss, notBetter, best);
        }

        Progress afterEvaluation(Best found, Metric metric) {
            boolean better = best == null || found.result().betterThan(best.result(), metric);
            return new Progress(
                    step, epoch, batches, epochLoss, lastLoss, better ? 0 : notBetter + 1, better ? found : best);
        }

        Progress afterEpoch() {
            return new Progress(step, epoch + 1, 0, 0, lastLoss, notBetter, best);
        }
    }

    /** The best adapter so far, as files hold it. */
    record Best(Map<String, HostTensor> stored, Evaluation result) {
        Best {
            stored = Collections.unmodifiableMap(new LinkedHashMap<>(stored));
        }
    }
}
