using MessagePack;

namespace ActorTrainer.Actors.Telemetry;

/// <summary>What somebody outside of the run does for a stage, which waits meanwhile: of an encrypted run the data owner, who lifts ciphertexts.</summary>
/// <param name="Seconds">Waited.</param>
/// <param name="Items">Ciphertexts lifted.</param>
[MessagePackObject]
public readonly record struct OutsideWork([property: Key(0)] double Seconds, [property: Key(1)] long Items)
{
    public static OutsideWork operator +(OutsideWork a, OutsideWork b) => new(a.Seconds + b.Seconds, a.Items + b.Items);

    public static OutsideWork operator -(OutsideWork a, OutsideWork b) => new(a.Seconds - b.Seconds, a.Items - b.Items);
}
