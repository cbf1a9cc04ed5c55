namespace ActorTrainer.He.Ring;

/// <summary>Which arithmetic a ring uses.</summary>
public enum KernelChoice
{
    /// <summary>Doubles where processor and primes allow it, else integers.</summary>
    Fastest,

    /// <summary>Scalar 64-bit integers everywhere: any processor, primes of up to 61 bits, and the oracle of the tests.</summary>
    Integer,

    /// <summary>Doubles, or a refusal.</summary>
    Double,
}
