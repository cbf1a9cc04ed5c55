using ActorTrainer.Actors.Nodes;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// Estimates what encrypted stages need in memory: residues of 8 bytes in keys, states, and what is kept between forward and backward. Not in it: the process itself, and
/// ciphertexts of the operation under way.
/// </summary>
public static class EncryptedMemories
{
    /// <summary>Activations that a layer or the head keeps beside the shifted copies of its attention.</summary>
    private const int Kept = 16;

    /// <summary>Families of shifted copies that attention keeps: keys, values, weights.</summary>
    private const int Families = 3;

    /// <summary>Ciphertexts of a pack: weights and AdamW's two moments.</summary>
    private const int PerPack = 3;

    /// <summary>Bytes of every stage: its encoded diagonals, and all keys, as a placement does not know yet which units, and so which of them, it will have.</summary>
    /// <param name="keys">The run's keys.</param>
    /// <param name="recipe">The run's: what its stages may use for either.</param>
    public static long Stage(CkksParameters parameters, IEnumerable<KeyEntry> keys, EncryptedRecipe recipe) =>
        ((long)recipe.CacheMiB << 20)
        + EvaluationKeys.Held(keys.Sum(key => 2L * parameters.DigitCount(key.Level) * (key.Level + 1 + parameters.Special.Count) * Limb(parameters)), recipe.KeyBytes);

    /// <summary>Bytes of a unit.</summary>
    /// <param name="layout">Where its learned numbers lie.</param>
    /// <param name="isHead">Whether it is the head, which has no attention.</param>
    public static UnitMemory Unit(CkksParameters parameters, Packing packing, UnitLayout layout, bool isHead)
    {
        var activation = packing.Hidden.Ciphertexts * Ciphertext(parameters, parameters.MaxLevel / 2);
        return new UnitMemory(
            PerPack * layout.Packs * Ciphertext(parameters, parameters.MaxLevel),
            activation * (Kept + (isHead ? 0 : Families * packing.HeadPlaces)));
    }

    private static long Ciphertext(CkksParameters parameters, int level) => 2L * (level + 1) * Limb(parameters);

    private static long Limb(CkksParameters parameters) => (long)parameters.Degree * sizeof(ulong);
}
