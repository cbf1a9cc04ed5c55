using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>What a stage wants of the data owner.</summary>
/// <param name="Kind">Lift, or look.</param>
/// <param name="Key">Identity.</param>
/// <param name="Level">Level of the answer; 0 for reports.</param>
/// <param name="Ciphertexts">How many.</param>
public sealed record RefreshRequest(RefreshProtocol.Question Kind, RefreshKey Key, int Level, int Ciphertexts)
{
    /// <summary>The request as it is sent.</summary>
    /// <exception cref="MisuseException">A ciphertext cannot be written.</exception>
    public byte[] Frame(long number, CkksContext context, IReadOnlyList<Ciphertext> ciphertexts) => RefreshProtocol.Frame(
        new RefreshProtocol.Request(Kind, number, Key, Level, Ciphertexts, ciphertexts.Sum(WireSize.Of), context.Parameters.Fingerprint.ToArray()), context, ciphertexts);

    /// <summary>Reads what follows the header of an answer to this.</summary>
    /// <exception cref="RefusedException">The owner rejected it.</exception>
    /// <exception cref="InvalidDataException">It is no answer to this.</exception>
    public IReadOnlyList<Ciphertext> Read(Stream stream, RefreshProtocol.Answer answer, CkksContext context)
    {
        if (answer.Flaw(this, context.Parameters) is { } flaw)
        {
            throw new InvalidDataException(flaw);
        }

        return answer.Kind == RefreshProtocol.Reply.Rejected
            ? throw new RefusedException($"The data owner rejected {Key}: {answer.Text}.")
            : RefreshProtocol.Read(stream, context, answer.Count, answer.Bytes);
    }

    /// <summary>What is wrong with the ciphertexts of an answer, null when they are what was asked for.</summary>
    public string? Flaw(IReadOnlyList<Ciphertext> answered, CkksParameters parameters)
    {
        var expected = Kind == RefreshProtocol.Question.Refresh ? Ciphertexts : 0;
        return answered.Count != expected ? $"{answered.Count} ciphertexts instead of {expected}"
            : answered.FirstOrDefault(c => c.Size != 2 || c.Level != Level || !c.Scale.Matches(parameters.ScaleAt(Level))) is { } wrong
                ? $"a {wrong} instead of one of 2 parts at level {Level}, scale {parameters.ScaleAt(Level)}"
            : null;
    }
}
