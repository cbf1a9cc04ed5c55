using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>Takes the requests of stages for the data owner, or for a helper; give <see cref="Handle"/> to <see cref="IPeerNetwork.Serve"/>.</summary>
/// <param name="desk">Answers; not owned.</param>
/// <param name="counters">Counts requests that are none.</param>
/// <param name="patience">How long to wait for the next bytes of a request that has begun, and for an answer to be taken. Between requests a connection may be silent.</param>
public sealed class RefreshServer(IRefreshDesk desk, PeerCounters counters, TimeSpan patience)
{
    /// <summary>Most requests of one connection that are not answered yet; it is not read on until one is.</summary>
    public const int MaxUnanswered = 8;

    /// <summary>Answers until the other side closes the connection, falls silent within a request or sends garbage; then closes it.</summary>
    public void Handle(PeerConnection connection)
    {
        using (connection)
        using (var answers = new RefreshConnection(connection, MaxUnanswered))
        {
            try
            {
                while (Next(connection.Stream) is { } request)
                {
                    Take(connection.Stream, request, answers);
                }

                answers.Finish();
            }
            catch (InvalidDataException)
            {
                counters.CountMalformed();
                answers.Break();
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // Gone, silent for too long, or the desk has ended: nobody is left to be told.
                answers.Break();
            }
        }
    }

    private RefreshProtocol.Request? Next(Stream stream)
    {
        StreamLimits.Set(stream, read: null, write: patience);
        var request = PeerHeaders.Read<RefreshProtocol.Request>(stream);
        StreamLimits.Set(stream, read: patience, write: patience);
        return request;
    }

    private void Take(Stream stream, RefreshProtocol.Request request, RefreshConnection answers)
    {
        var parameters = desk.Context.Parameters;
        if (request.Flaw(parameters) is { } flaw)
        {
            throw new InvalidDataException(flaw);
        }

        answers.Reserve();
        if (desk.Objection(request) is { } objection)
        {
            new RefreshBody(stream, request.Bytes).Skip();
            desk.Reject(request, objection, answers);
            return;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([(byte)request.Kind, (byte)request.Level, (byte)request.Count]);
        desk.Accept(request, RefreshProtocol.Read(stream, desk.Context, request.Count, request.Bytes, hash), hash.GetHashAndReset(), answers);
    }
}
