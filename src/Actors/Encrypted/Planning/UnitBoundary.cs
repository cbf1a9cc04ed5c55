namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>At which levels a unit gets its ciphertexts.</summary>
/// <param name="Input">Of the activation from the unit before, or from the owner.</param>
/// <param name="Masks">Of padding masks.</param>
/// <param name="Targets">Of labels; of the head alone.</param>
/// <param name="Gradient">Of the gradient from the unit behind; none for the head.</param>
/// <param name="WantsInput">Whether the gradient of the input is wanted: not for the first unit.</param>
internal sealed record UnitBoundary(int Input, int Masks, int Targets, int Gradient, bool WantsInput);
