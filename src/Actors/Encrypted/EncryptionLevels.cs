using ActorTrainer.He.Parameters;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Levels that a data set's ciphertexts are encrypted at: no higher than the program needs, since size and time grow with them.</summary>
/// <param name="Inputs">Of embedded tokens.</param>
/// <param name="Masks">Of padding masks.</param>
/// <param name="Targets">Of labels.</param>
public sealed record EncryptionLevels(int Inputs, int Masks, int Targets)
{
    /// <summary>Refuses levels that the parameters do not have.</summary>
    /// <exception cref="RefusedException">Names the levels there are.</exception>
    public void Require(CkksParameters parameters)
    {
        if (new[] { Inputs, Masks, Targets }.Any(level => level < 0 || level > parameters.MaxLevel))
        {
            throw new RefusedException($"Levels of {parameters.Name} are 0 to {parameters.MaxLevel}; found {Inputs} for inputs, {Masks} for masks and {Targets} for targets.");
        }
    }
}
