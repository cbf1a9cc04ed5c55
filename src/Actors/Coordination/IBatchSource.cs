using ActorTrainer.Actors.DataPlane;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Where micro-batches come from. What a payload holds is between the source and the stages' computation.</summary>
public interface IBatchSource
{
    /// <summary>Tokens of one sequence.</summary>
    int TokensPerSequence { get; }

    /// <summary>Targets (masked tokens) of one sequence.</summary>
    int TargetsPerSequence { get; }

    /// <summary>Held-out sequences.</summary>
    long HeldOutSequences { get; }

    /// <summary>Inputs and targets of <paramref name="rows"/> sequences from number <paramref name="first"/> of the run on.</summary>
    (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step);

    /// <summary>Inputs and targets of held-out sequences, the same whenever they are asked for.</summary>
    (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows);

    /// <summary>Mean −ln p, in nats, of the targets of the first held-out sequences for a guesser that knows only training frequencies.</summary>
    double HeldOutBaseline(long sequences);
}
