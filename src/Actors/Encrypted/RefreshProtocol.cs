using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;
using MessagePack;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// What goes over a connection between a stage and the data owner: <see cref="PeerHeaders"/>, and after each as many ciphertexts, in the engine's wire format,
/// as it says. Several requests may be under way; answers carry their numbers and come in any order.
/// </summary>
public static class RefreshProtocol
{
    /// <summary>Most ciphertexts in one request.</summary>
    public const int MaxCiphertexts = 64;

    /// <summary>What is asked.</summary>
    public enum Question : byte
    {
        /// <summary>The same slots at a high level. Answered by <see cref="Reply.Refreshed"/>.</summary>
        Refresh = 1,

        /// <summary>Something that only the owner looks at: outputs, gradients. Answered by <see cref="Reply.Acknowledged"/>.</summary>
        Report = 2,
    }

    /// <summary>How it is answered.</summary>
    public enum Reply : byte
    {
        /// <summary>As many fresh ciphertexts as were sent follow.</summary>
        Refreshed = 1,

        Acknowledged = 2,

        /// <summary>The key was not accepted; the text says why. It never depends on slots.</summary>
        Rejected = 3,
    }

    /// <summary>A request; its ciphertexts follow.</summary>
    /// <param name="Kind">What is asked.</param>
    /// <param name="Number">Of the request among those of its sender; the answer has the same.</param>
    /// <param name="Key">Identity.</param>
    /// <param name="Level">Level of the answer's ciphertexts; 0 for reports.</param>
    /// <param name="Count">Ciphertexts, 1 to <see cref="MaxCiphertexts"/>.</param>
    /// <param name="Bytes">Bytes of all of them.</param>
    /// <param name="Parameters">Fingerprint of the sender's parameters, 32 bytes.</param>
    [MessagePackObject]
    public sealed record Request(
        [property: Key(0)] Question Kind,
        [property: Key(1)] long Number,
        [property: Key(2)] RefreshKey Key,
        [property: Key(3)] int Level,
        [property: Key(4)] int Count,
        [property: Key(5)] long Bytes,
        [property: Key(6)] byte[] Parameters)
    {
        /// <summary>What is wrong with a request from a stranger, null when nothing is. Other parameters than the owner's are no flaw of the form.</summary>
        /// <param name="parameters">The owner's.</param>
        public string? Flaw(CkksParameters parameters) =>
            Kind is not (Question.Refresh or Question.Report) ? $"question {(byte)Kind} is unknown"
            : Key.Flaw() is { } flaw ? flaw
            : Level < 0 ? $"level {Level} is none"
            : Count is < 1 or > MaxCiphertexts ? $"{Count} ciphertexts, expected were 1 to {MaxCiphertexts}"
            : Parameters is not { Length: SHA256.HashSizeInBytes } ? "the fingerprint of the parameters is none"
            : Bytes < 0 || (Bytes > Count * Largest(parameters) && IsOf(parameters)) ? $"{Count} ciphertexts cannot have {Bytes} bytes"
            : null;

        /// <summary>Whether the sender computes with the same parameters.</summary>
        public bool IsOf(CkksParameters parameters) => parameters.Fingerprint.Span.SequenceEqual(Parameters);
    }

    /// <summary>An answer; its ciphertexts follow.</summary>
    /// <param name="Kind">Refreshed, acknowledged or rejected.</param>
    /// <param name="Number">Of the request.</param>
    /// <param name="Count">Ciphertexts that follow.</param>
    /// <param name="Bytes">Bytes of all of them.</param>
    /// <param name="Text">Why it was rejected.</param>
    [MessagePackObject]
    public sealed record Answer(
        [property: Key(0)] Reply Kind,
        [property: Key(1)] long Number,
        [property: Key(2)] int Count,
        [property: Key(3)] long Bytes,
        [property: Key(4)] string Text)
    {
        /// <summary>The request was accepted: its ciphertexts were looked at.</summary>
        public static Answer Acknowledged(long number) => new(Reply.Acknowledged, number, 0, 0, "");

        /// <summary>The request was not accepted.</summary>
        public static Answer Rejected(long number, string why) => new(Reply.Rejected, number, 0, 0, PeerHeaders.Reason(why));

        /// <summary>Why this is no answer to a request, null when it is one.</summary>
        public string? Flaw(RefreshRequest request, CkksParameters parameters) =>
            Kind == Reply.Rejected ? Count == 0 && Bytes == 0 && Text is not null ? null : "a rejection that carries something"
            : Kind != (request.Kind == Question.Refresh ? Reply.Refreshed : Reply.Acknowledged) ? $"an answer of kind {(byte)Kind} to a {request.Kind}"
            : Count != (request.Kind == Question.Refresh ? request.Ciphertexts : 0) ? $"{Count} ciphertexts for {request.Ciphertexts}"
            : Bytes < 0 || Bytes > Count * WireSize.Ciphertext(parameters, request.Level) ? $"{Bytes} bytes for {Count} ciphertexts"
            : null;
    }

    /// <summary>Bytes of the largest ciphertext of two parts.</summary>
    public static long Largest(CkksParameters parameters) => WireSize.Ciphertext(parameters, parameters.MaxLevel);

    /// <summary>A header and the ciphertexts after it, ready to be sent, more than once if need be.</summary>
    /// <exception cref="MisuseException">A ciphertext is of other parameters, or transparent: anyone could read it.</exception>
    public static byte[] Frame<T>(T header, CkksContext context, IReadOnlyList<Ciphertext> ciphertexts)
    {
        var head = PeerHeaders.ToBytes(header);
        var frame = GC.AllocateUninitializedArray<byte>(checked((int)(head.Length + ciphertexts.Sum(WireSize.Of))));
        using var stream = new MemoryStream(frame);
        stream.Write(head);
        foreach (var ciphertext in ciphertexts)
        {
            WireWriter.Write(stream, context, ciphertext);
        }

        return frame;
    }

    /// <summary>Reads the ciphertexts after a header; memory is taken as they arrive.</summary>
    /// <param name="hash">Takes all bytes in; null where nobody wants it.</param>
    /// <exception cref="InvalidDataException">They are none of these parameters, or have more or fewer bytes than announced.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static IReadOnlyList<Ciphertext> Read(Stream stream, CkksContext context, int count, long bytes, IncrementalHash? hash = null)
    {
        var body = new RefreshBody(stream, bytes, hash);
        var ciphertexts = new List<Ciphertext>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                ciphertexts.Add(WireReader.ReadCiphertext(body, context));
            }

            return body.Remaining == 0 ? ciphertexts : throw new InvalidDataException($"{body.Remaining} bytes follow {count} ciphertexts");
        }
        catch (Exception e)
        {
            ciphertexts.ForEach(ciphertext => ciphertext.Dispose());
            throw e is WireFormatException ? new InvalidDataException($"ciphertext {ciphertexts.Count} of {count}: {e.Message}", e) : e;
        }
    }
}
