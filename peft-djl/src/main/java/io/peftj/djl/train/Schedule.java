package io.peftj.djl.train;

/**
 * How the learning rate changes over a run: a warm-up that rises in equal steps, then a decay.
 *
 * <p>With n steps of which w ≥ 1 warm up, step s = 0 … n−1 uses the learning rate times min((s + 1) / w, d(s)), where d is 1, max(0, (n − s) / (n − w)) or
 * the cosine's half wave (1 + cos(π·p)) / 2 over p = (s − w) / (n − w).
 *
 * @param decay what follows the warm-up
 * @param warmUpFraction the share of all steps that warm up, rounded down; used where warmUpSteps is 0
 * @param warmUpSteps the number of steps that warm up; 0 to go by the fraction
 */
public record Schedule(Decay decay, double warmUpFraction, long warmUpSteps) {
    /** What follows the warm-up. */
    public enum Decay {
        /** The learning rate stays. */
        CONSTANT,
        /** It falls in equal steps towards 0. */
        LINEAR,
        /** It falls to 0 slowly, fast, slowly. */
        COSINE
    }

    /** Checks the warm-up. */
    public Schedule {
        if (!(warmUpFraction >= 0 && warmUpFraction < 1)) {
            throw new IllegalArgumentException("the warm-up's share of all steps: expected 0 to below 1, found "
                    + warmUpFraction + "; for a number of steps use warmUpSteps");
        }
        if (warmUpSteps < 0) {
            throw new IllegalArgumentException("the warm-up's steps: expected 0 or more, found " + warmUpSteps);
        }
    }

    /** The same learning rate all the time. */
    public static Schedule constant() {
        return new Schedule(Decay.CONSTANT, 0, 0);
    }

    /** A decay in equal steps towards 0. */
    public static Schedule linear() {
        return new Schedule(Decay.LINEAR, 0, 0);
    }

    /** A decay to 0 along a half cosine wave. */
    public static Schedule cosine() {
        return new Schedule(Decay.COSINE, 0, 0);
    }

    /** The same after a warm-up over a share of all steps. */
    public Schedule warmUp(double fraction) {
        return new Schedule(decay, fraction, 0);
    }

    /** The same after a warm-up over a number of steps. */
    public Schedule warmUpSteps(long steps) {
        return new Schedule(decay, 0, steps);
    }

    /**
     * What the learning rate is multiplied with.
     *
     * @param step the step, from 0
     * @param total the run's steps
     */
    public double factor(long step, long total) {
        long warmUp = Math.max(1, warmUpSteps > 0 ? warmUpSteps : (long) (warmUpFraction * total));
        double rest = Math.max(1, total - warmUp);
        double decayed = switch (decay) {
            case CONSTANT -> 1;
            case LINEAR -> Math.max(0, (total - step) / rest);
            case COSINE -> (1 + Math.cos(Math.PI * Math.min(1, Math.max(0, (step - warmUp) / rest)))) / 2;
        };
        return Math.min((step + 1) / (double) warmUp, decayed);
    }
}
