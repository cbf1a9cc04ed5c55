namespace ActorTrainer.Actors.Encrypted;

/// <summary>What a stage has exchanged with the data owner.</summary>
/// <param name="Requests">Requests answered, reports included.</param>
/// <param name="Lifted">Ciphertexts that came back.</param>
/// <param name="Reported">Ciphertexts that the owner only looked at.</param>
/// <param name="BytesSent">Of ciphertexts, without re-sends.</param>
/// <param name="BytesReceived">Of ciphertexts.</param>
/// <param name="Seconds">In which the stage waited.</param>
public readonly record struct RefreshTraffic(long Requests, long Lifted, long Reported, long BytesSent, long BytesReceived, double Seconds);
