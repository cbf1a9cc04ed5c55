namespace ActorTrainer.He.Wire;

/// <summary>What an object on the wire is. Numbers are part of the format. There is none for secret keys, nor for plaintexts.</summary>
internal enum WireKind : byte
{
    Parameters = 1,
    Ciphertext = 2,
    PublicKey = 3,
    EvaluationKeys = 4,
    EncapsulationKeys = 5,
}

/// <summary>How the uniform part of an object is sent; limbs are always in transformed form.</summary>
internal enum WireForm : byte
{
    /// <summary>All parts by their residues.</summary>
    Full = 0,

    /// <summary>A seed stands for the second part.</summary>
    Seeded = 1,
}
