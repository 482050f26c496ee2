using System.Text;
using CsCheck;

namespace Nacelle.Systemd.Tests;

public class BusMessageTests
{
    [Fact]
    public void A_call_has_the_bytes_of_the_specification()
    {
        var bytes = new BusMessage(BusMessageKind.Call)
        {
            Serial = 1, Path = "/org/freedesktop/DBus", Interface = "org.freedesktop.DBus", Member = "Hello", Destination = "org.freedesktop.DBus",
        }.ToBytes();
        Assert.Equal(
            "6c 01 00 01 00 00 00 00 01 00 00 00 6d 00 00 00 "
            + "01 01 6f 00 15 00 00 00 " + Hex("/org/freedesktop/DBus") + " 00 00 00 "
            + "02 01 73 00 14 00 00 00 " + Hex("org.freedesktop.DBus") + " 00 00 00 00 "
            + "03 01 73 00 05 00 00 00 " + Hex("Hello") + " 00 00 00 "
            + "06 01 73 00 14 00 00 00 " + Hex("org.freedesktop.DBus") + " 00 00 00 00",
            Hex(bytes));
    }

    [Fact]
    public void A_message_is_read_as_it_was_written()
    {
        var message = new BusMessage(BusMessageKind.Return)
        {
            Serial = 7,
            ReplySerial = 3,
            Body =
            [
                BusValue.Text("ü"), BusValue.Boolean(true), BusValue.Byte(9), BusValue.UInt64(ulong.MaxValue),
                BusValue.Array("(sv)", BusValue.Structure(BusValue.Text("a"), BusValue.Variant(BusValue.Array("u", BusValue.UInt32(5))))),
                BusValue.Array("(sa(sv))"), BusValue.ObjectPath("/a"), new BusValue("d", 1.5), new BusValue("i", unchecked((ulong)-2)),
            ],
        };
        var read = BusMessage.Parse(message.ToBytes());
        Assert.Equal((message.Kind, 7u, 3u), (read.Kind, read.Serial, read.ReplySerial));
        Assert.Equal(message.Body.Select(value => $"{value.Signature} {value}"), read.Body.Select(value => $"{value.Signature} {value}"));
        Assert.Equal(message.ToBytes().Length, BusMessage.LengthOf(message.ToBytes()));
    }

    [Fact]
    public void Bytes_that_are_no_message_are_refused_and_nothing_worse() => Gen.Byte.Array[0, 200].Sample(
        noise =>
        {
            var bytes = new BusMessage(BusMessageKind.Signal) { Serial = 1, Member = "M", Body = [BusValue.Array("(sv)", BusValue.Structure(BusValue.Text("a"), BusValue.Variant(BusValue.Text("b"))))] }.ToBytes();
            for (int i = 0; i + 1 < noise.Length; i += 2)
            {
                bytes[noise[i] % bytes.Length] = noise[i + 1];
            }

            try
            {
                if (BusMessage.LengthOf(bytes) == bytes.Length)
                {
                    BusMessage.Parse(bytes);
                }
            }
            catch (BusException)
            {
                // Said so.
            }
        },
        iter: 20_000);

    [Theory]
    [InlineData("a")]
    [InlineData("(")]
    [InlineData("()")]
    [InlineData("(s")]
    [InlineData("z")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaas")]
    public void What_is_no_type_is_refused(string signature) => Assert.Throws<BusException>(() => BusSignature.Split(signature));

    [Theory]
    [InlineData("unix:path=/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket")]
    [InlineData("unix:path=/a%20b,guid=1;tcp:host=x;unix:guid=2,abstract=/tmp/c", "/a b @/tmp/c")]
    [InlineData("tcp:host=x", "")]
    public void The_sockets_of_an_address_are_found(string addresses, string names) => Assert.Equal(names, string.Join(' ', BusAddress.Parse(addresses)));

    static string Hex(string text) => Hex(Encoding.ASCII.GetBytes(text));

    static string Hex(byte[] bytes) => string.Join(' ', bytes.Select(one => one.ToString("x2")));
}
