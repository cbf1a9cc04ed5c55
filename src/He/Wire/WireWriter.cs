using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Wire;

/// <summary>
/// Public objects to bytes: the same bytes from every kind of kernels. What holds a secret key cannot be written. The sizes are those of <see cref="WireSize"/>.
/// </summary>
public static class WireWriter
{
    public static void Write(Stream stream, CkksParameters parameters)
    {
        var sink = new WireSink(stream);
        ParametersFormat.Write(ref sink, parameters, ParametersFormat.Payload(parameters));
    }

    public static byte[] ToBytes(CkksParameters parameters)
    {
        var payload = ParametersFormat.Payload(parameters);
        var bytes = new byte[WireSize.Header + payload.Length + WireSize.Checksum];
        var sink = new WireSink(bytes);
        ParametersFormat.Write(ref sink, parameters, payload);
        return bytes;
    }

    /// <summary>A ciphertext; where its second part still is what the encryptor's public seed gives, the seed is written instead.</summary>
    /// <param name="allowTransparent">
    /// Whether a ciphertext whose message can be read without a key is written: the result of a product with zero. It is normal in computing, but must
    /// not leave unnoticed.
    /// </param>
    /// <exception cref="MisuseException">It is of other parameters or another backend, transparent, or its scale is above its modulus.</exception>
    public static void Write(Stream stream, CkksContext context, Ciphertext ciphertext, bool allowTransparent = false)
    {
        var sink = new WireSink(stream);
        CiphertextFormat.Write(ref sink, context, ciphertext, allowTransparent);
    }

    /// <inheritdoc cref="Write(Stream, CkksContext, Ciphertext, bool)"/>
    public static byte[] ToBytes(CkksContext context, Ciphertext ciphertext, bool allowTransparent = false)
    {
        var bytes = new byte[CiphertextFormat.Size(ciphertext)];
        var sink = new WireSink(bytes);
        CiphertextFormat.Write(ref sink, context, ciphertext, allowTransparent);
        return bytes;
    }

    /// <exception cref="MisuseException">It is of other parameters.</exception>
    public static void Write(Stream stream, CkksContext context, PublicKey key)
    {
        var sink = new WireSink(stream);
        KeyFormat.Write(ref sink, context, key);
    }

    /// <inheritdoc cref="Write(Stream, CkksContext, PublicKey)"/>
    public static byte[] ToBytes(CkksContext context, PublicKey key)
    {
        var bytes = new byte[WireSize.PublicKey(key.Parameters)];
        var sink = new WireSink(bytes);
        KeyFormat.Write(ref sink, context, key);
        return bytes;
    }

    /// <param name="requests">Which keys, each up to which level, at most the level that it was made for; without them all that there are.</param>
    /// <exception cref="MisuseException">They are of other parameters.</exception>
    /// <exception cref="MissingKeyException">A key is not there, or only up to a lower level.</exception>
    public static void Write(Stream stream, CkksContext context, EvaluationKeys keys, IEnumerable<KeyRequest>? requests = null)
    {
        var sink = new WireSink(stream);
        KeyFormat.Write(ref sink, context, keys, KeyRequest.Union(requests ?? keys.Requests));
    }

    /// <summary>
    /// The same bytes as of the whole set, with each key made when it is its turn and freed after it: a set of large keys then takes the memory of one.
    /// </summary>
    /// <param name="requests">Which keys, each up to which level.</param>
    /// <param name="make">A set with the key that is asked for; asked once for each element, elements rising.</param>
    /// <exception cref="MisuseException">A key is of other parameters.</exception>
    /// <exception cref="MissingKeyException">What was made does not have the key.</exception>
    public static void Write(Stream stream, CkksContext context, IEnumerable<KeyRequest> requests, Func<KeyRequest, EvaluationKeys> make)
    {
        var sink = new WireSink(stream);
        KeyFormat.Write(ref sink, context, KeyRequest.Union(requests), make);
    }

    /// <inheritdoc cref="Write(Stream, CkksContext, EvaluationKeys, IEnumerable{KeyRequest})"/>
    public static byte[] ToBytes(CkksContext context, EvaluationKeys keys, IEnumerable<KeyRequest>? requests = null)
    {
        var wanted = KeyRequest.Union(requests ?? keys.Requests);
        var bytes = new byte[WireSize.EvaluationKeys(context.Parameters, wanted)];
        var sink = new WireSink(bytes);
        KeyFormat.Write(ref sink, context, keys, wanted);
        return bytes;
    }

    /// <exception cref="MisuseException">They are of other parameters.</exception>
    public static void Write(Stream stream, CkksContext context, EncapsulationKeys keys)
    {
        var sink = new WireSink(stream);
        EncapsulationFormat.Write(ref sink, context, keys);
    }

    /// <inheritdoc cref="Write(Stream, CkksContext, EncapsulationKeys)"/>
    public static byte[] ToBytes(CkksContext context, EncapsulationKeys keys)
    {
        var bytes = new byte[WireSize.EncapsulationKeys(keys.Parameters)];
        var sink = new WireSink(bytes);
        EncapsulationFormat.Write(ref sink, context, keys);
        return bytes;
    }
}
