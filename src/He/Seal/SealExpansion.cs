namespace ActorTrainer.He.Seal;

/// <summary>How SEAL expands a seed; the numbers are those of its files.</summary>
public enum SealExpansion : byte
{
    Blake2Xb = 1,

    /// <summary>Needs a system library that has SHAKE256.</summary>
    Shake256 = 2,
}
