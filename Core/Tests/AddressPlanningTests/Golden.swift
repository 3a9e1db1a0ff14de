/// What plans looked like when they were found right.
enum Golden {
    static let text = #"""
        IPv4 blocks of /26, 61 pods each
          10.12.0.0/22      16
          10.77.16.0/23      8
          192.168.200.0/24   4
          all               28

        IPv6 blocks of /64, ~2^64 pods each
          2001:db8:7::/48  65536
          all              65536

        fits                  IPv4     IPv6
        nodes with 110 pods     14    65536
        nodes with one block    28    65536
        pods                  1540  7208960
        Services               254    65535

        IPv4 blocks for nodes: 8 of 28 used, run out on day 44
        IPv4 addresses for Services: 40 of 254 used, run out on day 108
        IPv6 addresses for Services: 40 of 65535 used, run out on day 32748
        IPv6 blocks for nodes: 4 of 65536 used

        """#

    static let json = #"""
        {
          "podsPerNode": 110,
          "families": [
            {
              "family": "IPv4",
              "blockLength": 26,
              "prefixes": [
                {
                  "cidr": "10.12.0.0/22",
                  "blocks": 16
                },
                {
                  "cidr": "10.77.16.0/23",
                  "blocks": 8
                },
                {
                  "cidr": "192.168.200.0/24",
                  "blocks": 4
                }
              ],
              "blocks": 28,
              "podsPerBlock": 61,
              "blocksPerNode": 2,
              "fullNodes": 14,
              "pods": 1540,
              "services": 254
            },
            {
              "family": "IPv6",
              "blockLength": 64,
              "prefixes": [
                {
                  "cidr": "2001:db8:7::/48",
                  "blocks": 65536
                }
              ],
              "blocks": 65536,
              "podsPerBlock": "18446744073709551614",
              "blocksPerNode": 1,
              "fullNodes": 65536,
              "pods": 7208960,
              "services": 65535
            }
          ],
          "limits": [
            {
              "resource": "blocks",
              "family": "IPv4",
              "capacity": 28,
              "used": 8,
              "runsOutOnDay": 44
            },
            {
              "resource": "services",
              "family": "IPv4",
              "capacity": 254,
              "used": 40,
              "runsOutOnDay": 108
            },
            {
              "resource": "services",
              "family": "IPv6",
              "capacity": 65535,
              "used": 40,
              "runsOutOnDay": 32748
            },
            {
              "resource": "blocks",
              "family": "IPv6",
              "capacity": 65536,
              "used": 4,
              "runsOutOnDay": null
            }
          ]
        }
        """#

    static let svg = #"""
        <svg xmlns="http://www.w3.org/2000/svg" width="720" height="552" viewBox="0 0 720 552" font-family="sans-serif" font-size="13">
          <rect width="100%" height="100%" fill="#ffffff"/>
          <text x="20" y="28" font-weight="bold">IPv4: 28 blocks of /26, 14 nodes with 110 pods</text>
          <rect x="20" y="38" width="388.57" height="28" fill="#0072b2" fill-opacity="0.35"/>
          <rect x="20" y="38" width="194.29" height="28" fill="#0072b2" fill-opacity="1"/>
          <rect x="20" y="76" width="10" height="10" fill="#0072b2"/>
          <text x="36" y="85">10.12.0.0/22: 8 of 16 used</text>
          <rect x="408.57" y="38" width="194.29" height="28" fill="#e69f00" fill-opacity="0.35"/>
          <rect x="20" y="96" width="10" height="10" fill="#e69f00"/>
          <text x="36" y="105">10.77.16.0/23: 0 of 8 used</text>
          <rect x="602.86" y="38" width="97.14" height="28" fill="#009e73" fill-opacity="0.35"/>
          <rect x="20" y="116" width="10" height="10" fill="#009e73"/>
          <text x="36" y="125">192.168.200.0/24: 0 of 4 used</text>
          <text x="20" y="168" font-weight="bold">IPv6: 65536 blocks of /64, 65536 nodes with 110 pods</text>
          <rect x="20" y="178" width="680" height="28" fill="#0072b2" fill-opacity="0.35"/>
          <rect x="20" y="178" width="0.04" height="28" fill="#0072b2" fill-opacity="1"/>
          <rect x="20" y="216" width="10" height="10" fill="#0072b2"/>
          <text x="36" y="225">2001:db8:7::/48: 4 of 65536 used</text>
          <text x="20" y="268" font-weight="bold">Use until day 49</text>
          <rect x="20" y="278" width="680" height="160" fill="none" stroke="#888888"/>
          <polyline points="20,392.29 37,392.29 54,392.29 71,392.29 88,380.86 105,380.86 122,380.86 139,369.43 156,369.43 173,369.43 190,358 207,358 224,358 241,358 258,346.57 275,346.57 292,346.57 309,335.14 326,335.14 343,335.14 360,323.71 377,323.71 394,323.71 411,312.29 428,312.29 445,312.29 462,312.29 479,300.86 496,300.86 513,300.86 530,289.43 547,289.43 564,289.43 581,278 598,278 615,278 632,278 649,278 666,278 683,278 700,278" fill="none" stroke="#0072b2" stroke-width="2"/>
          <rect x="20" y="448" width="10" height="10" fill="#0072b2"/>
          <text x="36" y="457">IPv4 blocks for nodes: 8 of 28 used, run out on day 44</text>
          <polyline points="20,412.8 37,411.54 54,410.28 71,409.02 88,407.76 105,405.24 122,403.98 139,402.72 156,401.46 173,398.94 190,397.69 207,396.43 224,395.17 241,393.91 258,391.39 275,390.13 292,388.87 309,387.61 326,385.09 343,383.83 360,382.57 377,381.31 394,380.05 411,377.53 428,376.27 445,375.01 462,373.75 479,371.23 496,369.97 513,368.71 530,367.45 547,366.19 564,363.67 581,362.41 598,361.15 615,359.89 632,357.37 649,356.11 666,354.85 683,353.59 700,351.07" fill="none" stroke="#e69f00" stroke-width="2"/>
          <rect x="20" y="468" width="10" height="10" fill="#e69f00"/>
          <text x="36" y="477">IPv4 addresses for Services: 40 of 254 used, run out on day 108</text>
          <polyline points="20,437.9 37,437.9 54,437.89 71,437.89 88,437.88 105,437.87 122,437.87 139,437.86 156,437.86 173,437.85 190,437.84 207,437.84 224,437.83 241,437.83 258,437.82 275,437.81 292,437.81 309,437.8 326,437.79 343,437.79 360,437.79 377,437.78 394,437.78 411,437.77 428,437.76 445,437.76 462,437.75 479,437.74 496,437.74 513,437.73 530,437.73 547,437.72 564,437.71 581,437.71 598,437.7 615,437.7 632,437.69 649,437.68 666,437.68 683,437.67 700,437.66" fill="none" stroke="#009e73" stroke-width="2"/>
          <rect x="20" y="488" width="10" height="10" fill="#009e73"/>
          <text x="36" y="497">IPv6 addresses for Services: 40 of 65535 used, run out on day 32748</text>
          <polyline points="20,437.99 37,437.99 54,437.99 71,437.99 88,437.99 105,437.99 122,437.99 139,437.99 156,437.99 173,437.99 190,437.98 207,437.98 224,437.98 241,437.98 258,437.98 275,437.98 292,437.98 309,437.98 326,437.98 343,437.98 360,437.98 377,437.98 394,437.98 411,437.97 428,437.97 445,437.97 462,437.97 479,437.97 496,437.97 513,437.97 530,437.97 547,437.97 564,437.97 581,437.97 598,437.97 615,437.97 632,437.96 649,437.96 666,437.96 683,437.96 700,437.96" fill="none" stroke="#cc79a7" stroke-width="2"/>
          <rect x="20" y="508" width="10" height="10" fill="#cc79a7"/>
          <text x="36" y="517">IPv6 blocks for nodes: 4 of 65536 used</text>
        </svg>

        """#
}
